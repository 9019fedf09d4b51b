// Package e2e holds the tests that run the built program as its users do: the command line, a worker process, connector
// processes and a Temporal server of its own, against the simulated Gong and Totango. They judge by what is in Totango in the
// end. There is no other code in it.
package e2e
