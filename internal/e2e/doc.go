// Package e2e holds the tests that run the built program as its users do: the command line, a worker process, connector
// processes and a Temporal server of its own, against the simulated Gong and Totango. They judge by what is in Totango in the
// end. There is no other code in it.
//
// The tests of pages need Chromium, and save pictures of what they have seen into the folder that DURASYNC_SCREENSHOTS names, else
// among the test's artifacts (go test -artifacts).
package e2e
