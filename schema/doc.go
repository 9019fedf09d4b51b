// Package schema is the job language: it turns the HCL files of a directory into compiled jobs ([plan.Plan]) and connections,
// and evaluates the expressions of a compiled job. HCL and cty live here and nowhere else.
//
// [Load] reads a directory. It checks everything that can be checked before a run: syntax, blocks, attributes, references,
// durations, schedules, and every expression against the types that the connectors describe. It reports all the mistakes it
// finds in one go, as [Diagnostics], and keeps what is valid beside them. It reads files and asks for descriptions; it has no
// other effect.
//
// [NewRenderer] prepares a compiled job for its records: whether a record is wanted, and which attributes the destination gets.
//
// # Values in expressions
//
// A record is an object with the fields of its stream's description. A field that the source leaves out is null, and a list
// that it leaves out is empty. Times are strings in RFC 3339 with their own offset. Integers are exact, whatever their size.
//
// Expressions are pure: there is no clock, no randomness and no input other than the record. Strings that are not numbers do
// not become numbers by themselves: an expression says tonumber where it means it.
//
// # Secrets
//
// env, file and exec exist in connection blocks only. Their values are marked as sensitive and leave the package in
// [Connection.Config] alone: no diagnostic shows a value, and the source lines that diagnostics show have the literals of
// secret attributes cut out.
package schema

//go:generate go run ../internal/docgen ../docs
