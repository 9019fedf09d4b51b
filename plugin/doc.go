// Package plugin is the connector SDK: the only package that the author of a connector imports.
//
// A connector is a program that Durasync starts, one process for each connection, and talks to over gRPC. In Go it is four steps;
// the package's example is a whole connector. In another language it is a program that serves the protocol in the directory
// protocol, whose README says how.
//
// # 1. Implement the interfaces
//
// [Connector] describes and configures. A connector that records can be read from is a [Source] as well, one that records can be
// written to a [Destination]; it may be both. The rest is optional and found by asking: [Checker] tests credentials, [Resolver]
// finds what people belong to, [Finder] looks up what was written, [Previewer] shows what would be. Every method takes a context, one request and returns one
// response, so that later versions can add to both.
//
// The description is data: the host checks jobs against it, decodes configuration with it and writes documentation from it. Give
// fields and attributes a semantic (see the Meeting constants) where one fits, and a source of meetings maps itself to any
// destination of meetings.
//
// Methods are called from many goroutines at once. A method that waits for the other system passes its context on, so that it
// returns when the context ends.
//
// # 2. Serve
//
//	func main() { plugin.Serve(New()) }
//
// The program is called durasync-connector-<name>. It logs with [hclog.FromContext], which reaches the host's log with level and
// connection; what it prints is forwarded too, at level debug. The host's environment is not visible in it: everything that it
// needs comes with Configure.
//
// # 3. Classify errors
//
// Every error says what happened, to what, and what to do about it, as an [*Error] with a [Code]. The host acts on the code, the
// retryable bit and RetryAfter alone, and it alone retries: a connector never does, since only the host knows what the retry
// costs. [Errorf] sets the bit by the code. An error of another type is [CodeInternal]. A panic ends the call, not the process.
//
// Writing has one more rule: whoever sent a write and did not get its answer does not know whether it was written, and says so with
// Uncertain. The host will ask again with InDoubt set, and the connector then looks before it writes.
//
// A [Previewer] shares the way to the write with Create, so that people are shown what a run would do: the same texts, cut at the
// same place, and the same complaints. What Create reports for the call because no other item would fare better, such as a type
// that does not exist, Preview reports for the item; only what has nothing to do with an item fails the call.
//
// Secrets never stand in an error or a log line.
//
// # 4. Pass the conformance kit
//
// Package plugintest runs the cases that the host relies on, against the connector and a simulator of the other system: windows,
// pages, exact integers, types as described, nothing written twice, errors that arrive as they were made. It runs them by calling
// the methods, over gRPC, and through the program itself. A program in any language is examined with
//
//	durasync connector test PATH
package plugin
