// Package cli is the durasync command. The command is a function, [Run], of its arguments, streams and environment, so that tests
// run it as users do; [Main] is that function over the process's own.
//
// Results go to standard output, everything else to standard error. With --json, standard output holds JSON and nothing else, an
// error included.
package cli
