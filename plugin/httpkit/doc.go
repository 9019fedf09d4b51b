// Package httpkit is what connectors to HTTP APIs share: one request, classified.
//
// A [Client] sends a request once and turns whatever comes back into a [Response] or a [*plugin.Error] that says what happened,
// whether it may have had an effect, and when to come back. It never retries, because the host does; all that net/http does by
// itself is to send a GET again when an idle connection turns out to be dead. It never follows a redirect, because a redirect
// loses credentials and turns a POST into a GET.
//
// A [TokenSource] holds the access token of an API that wants OAuth, for all requests of a client. A [Cursor] follows an API from page
// to page and notices when it goes round in circles. A [Counter] counts the requests of a call.
//
// What the API sent in an error answer is shown in a short excerpt without control characters and without the credentials of
// the request, whatever the body holds.
package httpkit
