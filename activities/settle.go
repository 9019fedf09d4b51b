package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/durasync/durasync/schema/plan"
)

// SettleInput is the input of [Activities.Settle].
type SettleInput struct {
	Destination plan.Destination `json:"destination"`
	Source      plan.Source      `json:"source"`
	Job         string           `json:"job"`
	Owner       Owner            `json:"owner"`
	Records     []SettleRecord   `json:"records"`
}

// SettleRecord says what became of a record.
type SettleRecord struct {
	Pending Pending `json:"p"`
	State   State   `json:"state"`
	Reason  Reason  `json:"reason,omitempty"`
	Target  string  `json:"target,omitempty"`
	ID      string  `json:"id,omitempty"`
	Title   string  `json:"title,omitempty"`

	// Clear, if set, names the claim that the settlement is about, by its [Entry.Clear].
	Clear time.Time `json:"clear,omitzero"`
}

// Settle notes in the ledgers what became of records.
func (a *Activities) Settle(ctx context.Context, in SettleInput) error {
	for _, group := range byDay(in.Records, func(r SettleRecord) string { return r.Pending.Day }) {
		ref := ledgerOfDay(&in.Destination, group.day)
		req := SettleRequest{Owner: in.Owner, Job: in.Job}
		for _, i := range group.indexes {
			r := in.Records[i]
			req.Items = append(req.Items, Settlement{
				Key: Key(&in.Source, r.Pending.ID), Time: r.Pending.Time, State: r.State, Reason: r.Reason, Target: r.Target, ID: r.ID, Title: r.Title, Clear: r.Clear,
			})
		}
		if err := a.deps.Ledgers.Settle(ctx, ref, req); err != nil {
			return fmt.Errorf("settle %d records in the ledger of %s: %w", len(req.Items), ref.Day, err)
		}
	}
	return nil
}
