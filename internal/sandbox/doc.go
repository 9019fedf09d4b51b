// Package sandbox makes up a company with its customers and their meetings, loads it into the simulated Gong and the simulated
// Totango, and knows what a correct sync must leave behind.
//
// [Generate] makes the company from a seed: the same seed and time give the same company, on every machine. [Start] serves it
// through both simulators on the loopback interface, which is what `durasync demo` and `durasync sandbox` do. [Company.Truth] says
// what must be in Totango after a sync and [Diff] compares it with what is there.
//
// The truth is known by construction: each meeting is made to have one outcome, and that outcome is noted with it. Nothing here
// resolves participants or reads what the simulators answer, so a mistake in the engine cannot hide in its own mirror image.
// All names are invented and all domains end in .example, which nobody can register.
package sandbox
