// Package gongtest simulates one company's Gong: the parts of the public REST API v2 that a reader of calls meets, with its
// real limits, omissions and surprises.
//
// A [Server] is an [http.Handler] that listens nowhere by itself. Its zero value is an empty company with the key
// [AccessKey] and [AccessKeySecret], without rate limits, on the machine's clock:
//
//	var company gongtest.Server
//	company.AddCall(gongtest.Call{Title: "Quarterly review", Started: started, Duration: 30 * time.Minute})
//	srv := httptest.NewServer(&company)
//
// Time is the server's own: [Options.Clock] decides which calls are visible yet, which texts are ready, whether a cursor has
// expired and whether a limit is reached. [Server.Inject] and [Server.Chaos] make it misbehave. [Server.Requests] and
// [Server.Count] tell what was asked.
//
// What is known of the API is kept to; where nothing is known, the choice is stated at the place.
package gongtest
