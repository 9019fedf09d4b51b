// Package host launches connectors and calls them. It is for programs that run connectors, and depends on nothing of Durasync but
// package plugin.
//
//   - [Find] and [Self] say which program serves a connector.
//   - [Describe] starts it, asks what it offers and ends it.
//   - [Pool] keeps one process for each connection: started when it is first needed, restarted when it dies, replaced when its
//     configuration changes.
//
// A connector's process gets none of the host's environment but a few variables that every program needs (see [Command]), talks
// to the host over mutually authenticated TLS, and ends when the host does, together with everything that it started.
package host
