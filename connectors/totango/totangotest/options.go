package totangotest

import "time"

// Options configure a [Server]. The zero value is a tenant with Totango's defaults.
type Options struct {
	// Clock gives the time for everything the server does; nil means time.Now. It must be safe for concurrent use.
	Clock func() time.Time

	// Tokens are the app tokens that the server accepts. Empty means that any token but the empty one is good.
	Tokens []string

	// OAuthClients are the ids and secrets that the token call accepts. Empty means any.
	OAuthClients map[string]string

	// TokenUser is the address of the token's owner, the creator of touchpoints that name none.
	TokenUser string

	// ServiceID is the tenant's number; the GUIDs of its types and tags derive from it. Empty means "12345".
	ServiceID string

	// EU says that the tenant lives in the European region, as GET /domains/ reports.
	EU bool

	// RequestsPerMinute is the limit per token, counted in fixed windows of 60 seconds. Zero means 100, Totango's own ("API rate
	// limit"); a negative number means no limit.
	RequestsPerMinute int

	// SearchLag is how long a created touchpoint stays invisible to reads; see [Server.SetSearchLag].
	SearchLag time.Duration

	// Latency is how long every answer of the API takes.
	Latency time.Duration

	// Chaos injects faults at random; nil for none. [Server.Inject] scripts them.
	Chaos *Chaos

	// Variants choose between readings of the documentation.
	Variants Variants

	// Types and Tags are the names of touchpoint types and reasons. Nil means Totango's default types, and three reasons.
	Types []string
	Tags  []string

	// Flows are the SuccessFlows. Nil means adoption (the default flow), onboarding, renewal, escalation and support.
	Flows []Flow
}

// Variants are the points on which the sources about Totango's API are silent or disagree.
type Variants struct {
	// PageOffset makes the offset of the event search a page number instead of a record number.
	PageOffset bool

	// NoRetryAfter leaves the Retry-After header out of answers with status 429.
	NoRetryAfter bool

	// RateLimitObject makes the body of status 429 a JSON object instead of a JSON string.
	RateLimitObject bool

	// MissingTermsUnauthorized answers a search without terms with 401 instead of 400.
	MissingTermsUnauthorized bool

	// AnyEventID lets an update pass whose event_id is missing or wrong.
	AnyEventID bool

	// IgnoreCase compares user ids and attributes without regard to case.
	IgnoreCase bool

	// NoEventSearch answers the event search with 404.
	NoEventSearch bool

	// AllAccounts makes the event search ignore its parameter account_id.
	AllAccounts bool

	// TeamNames makes the attributes of accounts that name their team hold names instead of addresses.
	TeamNames bool

	// NoAccountSearch answers the search of accounts with 404.
	NoAccountSearch bool

	// MaxAlternatives is how many alternatives an "or" of a search may have; with more, it is refused. Zero is no limit.
	MaxAlternatives int

	// PlainText strips markup from the content of touchpoints when they are stored.
	PlainText bool
}

// Flow is a SuccessFlow, also called activity type.
type Flow struct {
	ID       string
	Name     string
	Default  bool
	Disabled bool
}

// NamedID is a touchpoint type or a tag.
type NamedID struct {
	ID   string // a GUID
	Name string
}

const (
	defaultRate  = 100
	window       = time.Minute
	maxContent   = 12_000 // UTF-16 code units
	maxCount     = 1_000
	maxReachable = 10_000
)

// teamAttributes are the account attributes that name the members of a team, in the order of [Account.Team].
var teamAttributes = []string{"Success Manager", "Sales Manager"}

func defaultFlows() []Flow {
	return []Flow{
		{ID: "adoption", Name: "Adoption", Default: true},
		{ID: "onboarding", Name: "Onboarding"},
		{ID: "renewal", Name: "Renewal"},
		{ID: "escalation", Name: "Escalation"},
		{ID: "support", Name: "Support"},
	}
}

func defaultTypes() []string {
	return []string{"Web Meeting", "In Person Meeting", "Telephone Call", "Email", "Internal Note"}
}

func defaultTags() []string { return []string{"Business Review", "Training", "Product Feedback"} }
