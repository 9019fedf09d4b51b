// Package totango is the connector to Totango: a destination of touchpoints, which are filed under the account that the meeting's
// participants belong to.
//
// Facts about the API are from Totango's help centre ("Touchpoints API", "Search API (accounts, users)", "Search API (events)",
// "API rate limit") and, where that is silent, from public programs that call the live API, above all Totango's own Zendesk app.
//
// The API knows no external id. So that a touchpoint can be found again, the last line of its text names the record that it was
// made from, such as [durasync gong/calls/7782342274025937895]. A write whose outcome is not known is settled by looking for that
// line on the account's timeline. A person who deletes the line between such a write and the look makes the touchpoint
// unfindable.
package totango
