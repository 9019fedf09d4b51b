package activities

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/durasync/durasync/schema/plan"
)

// Ledgers is the client side of the Ledger workflows. A ledger is a chain of shards; the implementation follows it.
type Ledgers interface {
	// Lookup returns the entries of those keys that the ledger has.
	Lookup(ctx context.Context, ref LedgerRef, keys []string) ([]Entry, error)
	// Open returns the entries of the job that are not delivered.
	Open(ctx context.Context, ref LedgerRef, job string) ([]Entry, error)
	// Claim asks for the right to write.
	Claim(ctx context.Context, ref LedgerRef, req ClaimRequest) (*ClaimResult, error)
	// Settle notes what became of records.
	Settle(ctx context.Context, ref LedgerRef, req SettleRequest) error
}

// LedgerRef names a ledger: one for each destination connection, object and day of the record, shared by all jobs.
type LedgerRef struct {
	Connection string
	Object     string
	Day        string // of the record's time in UTC, as 2006-01-02
}

// Day returns the day of a ledger for a record's time.
func Day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func ledgerOfDay(dst *plan.Destination, day string) LedgerRef {
	return LedgerRef{Connection: dst.Connection, Object: dst.Object, Day: day}
}

// around returns the days from the one before a time to the one after another.
func around(from, to time.Time) []string {
	var days []string
	for t := from.AddDate(0, 0, -1); Day(t) <= Day(to.AddDate(0, 0, 1)); t = t.AddDate(0, 0, 1) {
		days = append(days, Day(t))
	}
	return days
}

// found is an entry with the day of the ledger that holds it.
type found struct {
	Entry
	day string
}

const (
	// lookupKeys is how many keys one query carries, far from the limit on a payload.
	lookupKeys = 2000

	// lookupParallel is how many queries are under way at once.
	lookupParallel = 4
)

// lookup asks the ledgers of days for keys. Of a key that several know it returns the entry that forbids most, of equal ones the
// earliest.
func (a *Activities) lookup(ctx context.Context, dst *plan.Destination, keys map[string][]string) (map[string]found, error) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(lookupParallel)
	var mu sync.Mutex
	known := map[string]found{}
	for day, all := range keys {
		for part := range slices.Chunk(all, lookupKeys) {
			g.Go(func() error {
				entries, err := a.deps.Ledgers.Lookup(ctx, ledgerOfDay(dst, day), part)
				if err != nil {
					return fmt.Errorf("look up %d records in the ledger of %s: %w", len(part), day, err)
				}
				mu.Lock()
				defer mu.Unlock()
				for _, e := range entries {
					if f := (found{e, day}); f.outranks(known, e.Key) {
						known[e.Key] = f
					}
				}
				return nil
			})
		}
	}
	return known, g.Wait()
}

// outranks reports whether an entry says more about a key than what is known.
func (f found) outranks(known map[string]found, key string) bool {
	old, ok := known[key]
	return !ok || cmp.Or(cmp.Compare(rank(&f.Entry), rank(&old.Entry)), cmp.Compare(old.day, f.day)) > 0
}

// rank orders entries by how much they forbid.
func rank(e *Entry) int {
	switch {
	case e.State == Delivered:
		return 3
	case e.State == Claimed, e.State == InDoubt, e.Doubt:
		return 2
	}
	return 1
}

// State is what the ledger knows about a record.
type State string

// The states of an entry. Delivered is final.
const (
	// Claimed: a run holds the right to write, until its deadline.
	Claimed State = "claimed"
	// Delivered: the record is in the destination.
	Delivered State = "delivered"
	// Rejected: the record cannot be written as it is; Reason says why.
	Rejected State = "rejected"
	// Deferred: the record is not ready.
	Deferred State = "deferred"
	// InDoubt: a run gave up without knowing whether the record was written.
	InDoubt State = "in_doubt"
)

// Entry is a ledger's note about a record.
type Entry struct {
	Key    string    `json:"k"` // connector/stream/id of the source's record
	Time   time.Time `json:"t"`
	State  State     `json:"s"`
	Reason Reason    `json:"r,omitempty"`
	Job    string    `json:"j,omitempty"`

	// Owner is who claimed the record last.
	Owner *Owner `json:"o,omitempty"`

	// Clear is when, by server time, no write under the last claim can turn up any more: its write deadline plus the time that
	// a written item may take to be found. Before that nobody else may act on the claim.
	Clear time.Time `json:"c,omitzero"`

	// Doubt says that an earlier owner may have written the record under Target. It stays set until the record is delivered.
	Doubt bool `json:"d,omitempty"`

	// Target is where the record was, or may have been, written. It is pinned while in doubt, and so is Time.
	Target string `json:"a,omitempty"`

	// ID is the destination's id of what was written.
	ID string `json:"i,omitempty"`

	// Title names the record for people while it is not delivered.
	Title string `json:"n,omitempty"`
}

// ClaimRequest is the input of the Ledger's claim update.
type ClaimRequest struct {
	Owner Owner  `json:"owner"`
	Job   string `json:"job"`

	// TTL is how long the owner may write, from the server's now; Lag is how long afterwards a write can still turn up.
	TTL time.Duration `json:"ttl"`
	Lag time.Duration `json:"lag"`

	// Dead are owners that were found to be no longer running.
	Dead []Owner `json:"dead,omitempty"`

	Items []ClaimItem `json:"items"`
}

// ClaimItem is a record to claim.
type ClaimItem struct {
	Key    string    `json:"key"`
	Time   time.Time `json:"time"`
	Target string    `json:"target,omitempty"`
	Doubt  bool      `json:"doubt,omitempty"` // the owner may have written it before
}

// ClaimResult is the answer of the Ledger's claim update, one grant for each item in the order of the request, but for those that
// do not fit into the shard any more.
type ClaimResult struct {
	Grants []Grant `json:"grants"`

	// Rest are the items that are neither in this shard nor fit into it.
	Rest []ClaimItem `json:"rest,omitempty"`
}

// Grant is the answer to one claim.
type Grant struct {
	Key string `json:"key"`

	// State is Claimed if the claim was granted, Delivered if there is nothing left to do, InDoubt if another owner's claim
	// stands in the way until Clear, and Deferred if the record is in somebody's hands under another day.
	State State `json:"state"`

	// Deadline is the last moment at which the owner may write, by server time.
	Deadline time.Time `json:"deadline,omitzero"`

	// Doubt says that an earlier owner may have written the record, under Target and with Time as the record's time.
	Doubt  bool      `json:"doubt,omitempty"`
	Target string    `json:"target,omitempty"`
	Time   time.Time `json:"time,omitzero"`

	// Holder and Clear belong to the claim that stands in the way. Holder is nil if its owner has given it up.
	Holder *Owner    `json:"holder,omitempty"`
	Clear  time.Time `json:"clear,omitzero"`
}

// SettleRequest is the input of the Ledger's settle update.
type SettleRequest struct {
	Owner Owner        `json:"owner"`
	Job   string       `json:"job"`
	Items []Settlement `json:"items"`
}

// Settlement says what became of a record: any state but Claimed.
type Settlement struct {
	Key    string    `json:"key"`
	Time   time.Time `json:"time"`
	State  State     `json:"state"`
	Reason Reason    `json:"reason,omitempty"`
	Target string    `json:"target,omitempty"`
	ID     string    `json:"id,omitempty"`
	Title  string    `json:"title,omitempty"`

	// Clear, if set, is that of the claim that is given back: once the owner has claimed again, there is another one.
	Clear time.Time `json:"clear,omitzero"`
}

// SettleResult is the answer of the Ledger's settle update.
type SettleResult struct {
	// Rest are the settlements that are neither in this shard nor fit into it.
	Rest []Settlement `json:"rest,omitempty"`
}

// LookupResult is the answer of the Ledger's queries.
type LookupResult struct {
	Entries []Entry `json:"entries"`

	// Full says that the ledger goes on in the next shard.
	Full bool `json:"full,omitempty"`
}

// Reason says why a record was rejected or deferred. The list is append-only: it is stored.
type Reason string

// The reasons.
const (
	// ReasonInternalOnly: nobody outside the company took part.
	ReasonInternalOnly Reason = "internal_only"
	// ReasonUnresolved: the destination knows none of the participants ("account id not resolved").
	ReasonUnresolved Reason = "account_unresolved"
	// ReasonAmbiguous: several candidates, and the job's policy is to skip.
	ReasonAmbiguous Reason = "account_ambiguous"
	// ReasonFiltered: the job's where condition does not hold.
	ReasonFiltered Reason = "filtered"
	// ReasonGone: the record was listed but can no longer be read; it was deleted or made private.
	ReasonGone Reason = "gone"
	// ReasonRender: an expression of the job failed on this record.
	ReasonRender Reason = "render_failed"
	// ReasonRefused: the destination refused the record.
	ReasonRefused Reason = "refused"
	// ReasonNotReady: the source is still working on the record.
	ReasonNotReady Reason = "not_ready"
	// ReasonHeld: another run holds the claim, or held it and its last write may still turn up.
	ReasonHeld Reason = "held"
	// ReasonUncertain: the destination did not say whether the record was written, and could not be asked.
	ReasonUncertain Reason = "uncertain"
	// ReasonUnavailable: the destination could not be reached for too long.
	ReasonUnavailable Reason = "unavailable"
	// ReasonMissing: a run that adopts looked for the record in the destination, and it is not there.
	ReasonMissing Reason = "missing"
)
