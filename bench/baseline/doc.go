// Package baseline holds what the benchmarks measure Durasync against: a Temporal workflow that does nothing durably, and the programs
// that somebody would write instead, which do the same reads and writes without durability.
package baseline
