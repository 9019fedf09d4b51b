// Package totangotest simulates Totango: its REST API as far as a destination of touchpoints needs it, and under "/" a page on
// which a person reads the accounts and their touchpoints.
//
// The wire shapes follow Totango's help centre ("Touchpoints API", "Search API", "API rate limit") and public programs that call
// the live API. Where these leave something open, [Variants] switches between the readings, the zero value being the likeliest.
//
// A [Server] is an [net/http.Handler]. Serve it on a loopback listener, fill it with accounts, users and team members, point a
// connector's base_url at it, and read what arrived with [Server.Touchpoints].
package totangotest
