package cli

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/durasync/durasync/schema"
)

func (a *app) validateCommand() *cobra.Command {
	var connect bool
	cmd := a.reports(&cobra.Command{
		Use:   "validate [DIR]",
		Short: "Check the job files of a directory",
		Long: `Check the job files of a directory, the current one by default: everything that
can be known before a run. Needs no Temporal and no secrets.

With --connect, also try each job on its newest 10 records, through a worker:
that the credentials are good, that the types, flows and tags that it names
exist, and that records find their target. Nothing is written. It fails with
"account id not resolved" if none of the records can be written.

Exits 0 if everything is well, 2 if the files, or what they say of the systems,
cannot work, 3 if something could not be tried or reached. With --json, prints
diagnostics in the form of Terraform's validate -json.`,
		Args: maxArgs(1, "at most one directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			log, err := a.logger(cmd, hclog.Off)
			if err != nil {
				return err
			}
			return a.validate(cmd.Context(), dirArg(args), connect, log)
		},
	})
	cmd.Flags().BoolVar(&connect, "connect", false, "also try the jobs on real records")
	return cmd
}

func (a *app) validate(ctx context.Context, dir string, connect bool, log hclog.Logger) error {
	found := a.connectors(dir, log)
	config, diags := schema.Load(ctx, dir, schema.Options{Describe: found.Describe, Configure: found.Configure})
	if err := ctx.Err(); err != nil {
		return err
	}
	var tried []connected
	if connect && diags.Err() == nil && len(config.Jobs) > 0 {
		var found schema.Diagnostics
		var err error
		if tried, found, err = a.tryJobs(ctx, config.Jobs, log); err != nil {
			return err
		}
		diags = append(diags, found...)
	}
	if a.json {
		return a.validateJSON(diags, tried)
	}
	err := a.show(diags)
	for _, c := range tried {
		if c.Valid {
			a.printf("%s: %s\n", a.outStyle().bold(c.Job), c.tally)
		}
	}
	if err != nil {
		return err
	}
	if len(config.Jobs) == 0 {
		return noJobs(dir)
	}
	a.printf("%s is valid: %s, %s\n", dir, plural(len(config.Jobs), "job"), plural(len(config.Connections), "connection"))
	return nil
}

// validateJSON writes Terraform's form, with what was tried as the member jobs.
func (a *app) validateJSON(diags schema.Diagnostics, tried []connected) error {
	var b bytes.Buffer
	if err := diags.WriteJSON(&b); err != nil {
		return err
	}
	if tried == nil {
		if _, err := b.WriteTo(a.opts.Stdout); err != nil {
			return err
		}
	} else {
		out := struct {
			FormatVersion string          `json:"format_version"`
			Valid         bool            `json:"valid"`
			ErrorCount    int             `json:"error_count"`
			WarningCount  int             `json:"warning_count"`
			Diagnostics   json.RawMessage `json:"diagnostics"`
			Jobs          []connected     `json:"jobs"`
		}{Jobs: tried}
		if err := json.Unmarshal(b.Bytes(), &out); err != nil {
			return err
		}
		out.Jobs = tried
		a.writeJSON(out)
	}
	if err := diags.Err(); err != nil {
		return reported(classify(err))
	}
	return nil
}
