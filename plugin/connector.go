package plugin

import (
	"context"
	"encoding/json"
	"time"
)

// Connector is what every connector implements. A connector is a source, a destination, or both, by implementing [Source]
// or [Destination] as well; everything else is an optional interface that the host discovers by asking.
//
// The host runs one process for each connection: it calls Describe at any time, Configure once before anything else that
// needs the other system, and then any method from any number of goroutines at once. Contexts carry the host's deadline;
// a method returns within a second of its context's end, and leaves nothing running. The host paces its calls by the declared rate
// limits; a connector keeps them within one call. Errors are [*Error]; any other error is reported as [CodeInternal].
type Connector interface {
	// Describe says what the connector is and what it offers. It needs no configuration, does no I/O and always gives the
	// same answer.
	Describe(ctx context.Context, req *DescribeRequest) (*DescribeResponse, error)

	// Configure receives the connection's configuration, checked against the description, before any other call that needs
	// it. It does no I/O: whether the credentials are good is Check's question. A value that cannot be used is
	// [CodeInvalidConfig] with the attribute's name.
	Configure(ctx context.Context, req *ConfigureRequest) (*ConfigureResponse, error)
}

// Source is a connector that records can be read from.
type Source interface {
	Connector

	// List returns one page of the records whose time lies in [From, To), as ids and times only, in any order. Records that
	// must not leave the source (private ones) are not listed. The host asks for pages one after the other, perhaps of different
	// processes, so a token says all that is needed. It never keeps one for later; an expired token is [CodeExpired], upon which
	// the host lists the window anew.
	List(ctx context.Context, req *ListRequest) (*ListResponse, error)

	// Read returns the records of the given ids with the given fields, in any order. An id that no longer exists, or must not
	// leave the source any more, is left out of the answer; that is no error.
	Read(ctx context.Context, req *ReadRequest) (*ReadResponse, error)
}

// Destination is a connector that records can be written to.
type Destination interface {
	Connector

	// Create writes the items and answers for each of them, in the order of the request. What is wrong with one item goes
	// into its result; an error returned by Create itself says that no item's outcome is known to differ from it.
	//
	// The context's deadline is the last moment at which a write may be sent or answered. A write whose outcome is not known
	// (no answer, connection lost, deadline) is reported with [Error.Uncertain] set, never as a failure and never as a
	// success. An item with InDoubt set may have been written by an earlier attempt: the connector looks for it by its key,
	// on the item's target, before it writes.
	Create(ctx context.Context, req *CreateRequest) (*CreateResponse, error)
}

// Checker is implemented by connectors that can test their configuration against the other system: credentials, host,
// permissions. It costs as few requests as possible; the host calls it at the start of each run.
type Checker interface {
	Check(ctx context.Context, req *CheckRequest) (*CheckResponse, error)
}

// Resolver is implemented by destinations whose objects belong to something that is found by people's addresses, as a
// touchpoint belongs to an account. The host calls it in batches and decides among the candidates itself.
type Resolver interface {
	// Resolve returns a match for each address that the destination knows; unknown addresses are left out.
	Resolve(ctx context.Context, req *ResolveRequest) (*ResolveResponse, error)
}

// Finder is implemented by destinations that can look up what was written under a key.
type Finder interface {
	// Find returns a result for each key that exists in the destination; the others are left out. The host calls it when it has lost
	// what it knew, to learn what was written; a key that is left out counts as not there, and will be written.
	Find(ctx context.Context, req *FindRequest) (*FindResponse, error)
}

// Previewer is implemented by destinations that can show what Create would write.
type Previewer interface {
	// Preview does everything that Create does but write: it looks names up, cuts texts, and finds what is wrong with an item, as
	// far as that can be known without writing it. People read what it returns. Whether an item was written before is not its
	// question: InDoubt means nothing here.
	Preview(ctx context.Context, req *PreviewRequest) (*PreviewResponse, error)
}

// DescribeRequest is the input of [Connector.Describe].
type DescribeRequest struct{}

// ConfigureRequest is the input of [Connector.Configure].
type ConfigureRequest struct {
	// Config is a JSON object with a member for each attribute of the description that is set or has a default.
	Config json.RawMessage
}

// ConfigureResponse tells the host how this connection behaves.
type ConfigureResponse struct {
	// RateLimits are the limits in force on this connection. The host paces its calls by them, across all workers. None
	// means no limit.
	RateLimits []RateLimit

	// WriteTimeout is how long one Create of a single item may take, request and answer. Zero means 20 seconds.
	WriteTimeout time.Duration

	// SearchLag is how long a written item may take to become visible to the look-up of an item in doubt.
	SearchLag time.Duration
}

// CheckRequest is the input of [Checker.Check].
type CheckRequest struct{}

// CheckResponse is the answer of [Checker.Check].
type CheckResponse struct {
	// Summary says in a few words what was reached, such as the workspace's name.
	Summary string

	// Requests is how many requests to the other system's API the call made. It stands in every answer and in [Error],
	// and lets the host keep count of the connection's rate limit.
	Requests int
}

// ListRequest is the input of [Source.List].
type ListRequest struct {
	Stream   string
	From, To time.Time // From is inclusive, To exclusive.

	// PageToken is empty for the first page, else the NextPageToken of the page before.
	PageToken string
}

// ListResponse is one page of [Source.List].
type ListResponse struct {
	Entries []Entry

	// NextPageToken is empty on the last page.
	NextPageToken string

	// Requests counts API requests; see [CheckResponse.Requests].
	Requests int
}

// Entry names a record.
type Entry struct {
	// ID is unique in the stream and never changes. At most 128 bytes of printable ASCII.
	ID string
	// Time is the record's place in the windows of List. It may change between two listings.
	Time time.Time
}

// ReadRequest is the input of [Source.Read].
type ReadRequest struct {
	Stream string

	// IDs holds at least one and at most [Stream.MaxRead] ids, each once.
	IDs []string

	// Fields are the names of the top-level fields that the job uses. Others may be left out of the records.
	Fields []string
}

// ReadResponse is the answer of [Source.Read].
type ReadResponse struct {
	Records []Record

	// Requests counts API requests; see [CheckResponse.Requests].
	Requests int
}

// Record is one record of a stream.
type Record struct {
	ID   string
	Time time.Time

	// URL is where a person can open the record, if there is such a place.
	URL string

	// Pending is empty when the record is complete. Otherwise it says, in a few words, what the source is still working on,
	// such as "no brief yet"; the host then reads the record again later, for a bounded time.
	Pending string

	// Data is a JSON object with the fields of the stream's description. A missing field and an explicit null mean the same.
	// Integers are exact.
	Data json.RawMessage
}

// CreateRequest is the input of [Destination.Create].
type CreateRequest struct {
	Object string

	// Items holds at least one and at most [Object.MaxCreate] items, each key once.
	Items []Item
}

// Item is one thing to write.
type Item struct {
	// Key is the idempotency key: the same for every attempt to write this item, and for no other item. It has the form
	// connector/stream/id of the source's record.
	Key string

	// RecordID and URL are those of the source's record.
	RecordID string
	URL      string

	// Time is the record's time.
	Time time.Time

	// Target is what the host chose among the candidates of [Resolver.Resolve]; empty if the object is not resolved.
	Target string

	// Attributes is a JSON object with the object's attributes that are set.
	Attributes json.RawMessage

	// InDoubt says that an earlier attempt may have written the item.
	InDoubt bool
}

// CreateResponse is the answer of [Destination.Create].
type CreateResponse struct {
	// Results has one result for each item of the request, in its order.
	Results []Result

	// Requests counts API requests; see [CheckResponse.Requests].
	Requests int
}

// Result is the outcome for one key.
type Result struct {
	Key string

	// ID is the destination's own id of what was written or found.
	ID string

	// Existed is set when an item in doubt was found and nothing was written.
	Existed bool

	// Err says why the item was not written; nil when it was written or found.
	Err *Error
}

// ResolveRequest is the input of [Resolver.Resolve].
type ResolveRequest struct {
	Object string

	// Addresses are e-mail addresses, trimmed and in lower case, each once, at most [Object.MaxResolve]. One that begins with @ stands
	// for everybody of a domain.
	Addresses []string

	// Team asks for [Target.Team], which may cost further requests.
	Team bool
}

// ResolveResponse is the answer of [Resolver.Resolve].
type ResolveResponse struct {
	Matches []Match

	// Requests counts API requests; see [CheckResponse.Requests].
	Requests int
}

// Match is what the destination knows of an address.
type Match struct {
	Address string

	// Internal is set for the destination's own team members. They decide nothing.
	Internal bool

	// Targets are the candidates, ordered by name, then by id.
	Targets []Target
}

// Target is a candidate that an object can belong to.
type Target struct {
	ID   string
	Name string

	// Contact and KeyContact say what the person is to the target.
	Contact, KeyContact bool

	// Team are the addresses, in lower case, of the destination's own people who look after the target, if the request asks for
	// them.
	Team []string
}

// FindRequest is the input of [Finder.Find].
type FindRequest struct {
	Object string
	Items  []FindItem
}

// FindItem is a key to look for, with where and when it would have been written.
type FindItem struct {
	Key    string
	Target string
	Time   time.Time
}

// FindResponse is the answer of [Finder.Find].
type FindResponse struct {
	Results []Result

	// Requests counts API requests; see [CheckResponse.Requests].
	Requests int
}

// PreviewRequest is the input of [Previewer.Preview]. Items are as those of [CreateRequest], at most [Object.MaxCreate] times 25.
type PreviewRequest struct {
	Object string
	Items  []Item
}

// PreviewResponse is the answer of [Previewer.Preview].
type PreviewResponse struct {
	// Previews has one preview for each item of the request, in its order.
	Previews []Preview

	// Requests counts API requests; see [CheckResponse.Requests].
	Requests int
}

// Preview is what would be written of an item.
type Preview struct {
	Key string

	// Attributes is a JSON object with the object's attributes as they would be written.
	Attributes json.RawMessage

	// Err says why the item would not be written; nil if it would.
	Err *Error
}
