package gongtest

import "time"

// Options are fixed when a server is made. The zero value is good.
type Options struct {
	// Clock is the server's time; nil means time.Now. It is called from many goroutines at once.
	Clock func() time.Time

	// Keys are the company's keys; nil means one with [AccessKey] and [AccessKeySecret] that may do everything.
	Keys []Key

	// Limits are the rate limits; the zero value means none. See [DefaultLimits].
	Limits Limits

	// Workspaces are the company's; nil means one called "Main".
	Workspaces []Workspace

	// Topics are the names that each call lists among its topics, with a duration of zero unless the call has them; nil means
	// Gong's usual ones.
	Topics []string

	// PageSize is the number of items on a page. Zero means Gong's 100.
	PageSize int

	// Location is the company's time zone, in which times are shown; nil means seven hours west of Greenwich.
	Location *time.Location

	// AppURL is where the pages of calls are; empty means "https://us-12345.app.gong.io".
	AppURL string

	// WrongHost makes the server the API host of other companies: it refuses every key in the words for a bad one.
	WrongHost bool

	// FirstID is the id of the first call for which none is given. Zero means 7782342274025937895, which no float64 holds.
	FirstID int64

	// CursorKey signs cursors; empty means a fixed one. Servers with different keys do not accept each other's cursors.
	CursorKey string
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Keys == nil {
		o.Keys = []Key{{AccessKey: AccessKey, Secret: AccessKeySecret}}
	}
	if o.Workspaces == nil {
		o.Workspaces = []Workspace{{ID: "623457276584334", Name: "Main"}}
	}
	if o.Topics == nil {
		o.Topics = []string{"Call Setup", "Small Talk", "Moving Forward", "Pricing", "Next Steps", "Wrap-Up"}
	}
	if o.PageSize <= 0 {
		o.PageSize = 100
	}
	if o.Location == nil {
		o.Location = time.FixedZone("", -7*60*60)
	}
	if o.AppURL == "" {
		o.AppURL = "https://us-12345.app.gong.io"
	}
	if o.FirstID == 0 {
		o.FirstID = 7782342274025937895
	}
	if o.CursorKey == "" {
		o.CursorKey = "gongtest"
	}
	return o
}
