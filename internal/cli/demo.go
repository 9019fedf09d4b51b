package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/durasync/durasync/internal/command"
	"github.com/durasync/durasync/internal/sandbox"
	"github.com/durasync/durasync/internal/schedules"
	"github.com/durasync/durasync/internal/worker"
	"github.com/durasync/durasync/schema"
	"github.com/durasync/durasync/schema/plan"
)

// demoFlags are the flags of the demo.
type demoFlags struct {
	server  serverFlags
	sandbox sandboxFlags
	once    bool
}

func (a *app) demoCommand() *cobra.Command {
	var flags demoFlags
	cmd := a.reports(&cobra.Command{
		Use:   "demo",
		Short: "See it work: simulated Gong meetings become Totango touchpoints",
		Long: `See it work, on this machine and in memory: an embedded Temporal server with
its web UI, a simulated Gong and Totango, a worker, the job of examples/demo,
and its first run. Runs until interrupted.`,
		Example: "  durasync demo\n  durasync demo --once --json\n  durasync demo --limits",
		Args:    maxArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			flags.freePorts(cmd)
			return a.demo(cmd, flags)
		},
	})
	flags.server.register(cmd)
	flags.sandbox.register(cmd)
	cmd.Flags().BoolVar(&flags.once, "once", false, "exit after the run: 0 if it completed, else 1")
	return cmd
}

// freePorts makes the default ports give way to what listens there: a demo next to another one, or to a Temporal, just works.
// A demo that is over at once leaves the default ports alone.
func (f *demoFlags) freePorts(cmd *cobra.Command) {
	for _, p := range []struct {
		flag string
		port *int
	}{{"port", &f.server.port}, {"ui-port", &f.server.uiPort}} {
		if !cmd.Flags().Changed(p.flag) && (f.once || !portFree(*p.port)) {
			*p.port = 0
		}
	}
}

// stage is all that runs in a demo.
type stage struct {
	server  *embedded
	sandbox *sandbox.Server
	client  *temporalClient
	worker  *worker.Worker
	plan    *plan.Plan
}

func (a *app) demo(cmd *cobra.Command, flags demoFlags) error {
	ctx := cmd.Context()
	log, err := a.logger(cmd, hclog.Off)
	if err != nil {
		return err
	}
	if !a.json {
		a.notef("starting Temporal, a simulated Gong and Totango, and a worker\n")
	}
	s := &stage{}
	defer s.stop()
	if err := a.setUp(ctx, s, flags, log); err != nil {
		return err
	}
	run, err := s.client.start(ctx, s.plan.Job, schedules.Summary(s.plan))
	if err != nil {
		return err
	}
	began := time.Now()
	if !a.json {
		a.showStage(s)
		a.notef("\n")
	}
	started := s.client.started(run)
	res, err := a.follow(ctx, s.client, s.plan.Job, run)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err() // Temporal goes away with the demo, and the run with it
		}
		return withRun(started, err)
	}
	report := a.demoReport(s, flags, newSummary(started, res, time.Since(began)))
	if a.json {
		a.writeJSON(report)
	} else {
		report.show(a)
	}
	if err := report.err(); err != nil || flags.once {
		if a.json {
			return quietly(err)
		}
		return err
	}
	if !a.json {
		a.printf("\nThe run in Temporal's web UI:\n  %s\nThe accounts in the simulated Totango:\n  %s\n\nPress Ctrl-C to stop.\n", started.URL, s.sandbox.TotangoURL)
	}
	<-ctx.Done()
	return nil
}

// setUp starts everything and applies the job: at once what does not need each other.
func (a *app) setUp(ctx context.Context, s *stage, flags demoFlags, log hclog.Logger) error {
	opts, err := flags.sandbox.options()
	if err != nil {
		return err
	}
	found := a.connectors("", log)
	var config *schema.Config
	// The group's own context would end what was started when the group is done.
	var g errgroup.Group
	g.Go(func() (err error) {
		if s.server, err = a.startServer(ctx, flags.server, log); err != nil {
			return err
		}
		s.client, err = s.server.dial(ctx, log)
		return err
	})
	g.Go(func() (err error) {
		s.sandbox, err = startSandbox(context.WithoutCancel(ctx), opts)
		return err
	})
	g.Go(func() error {
		var diags schema.Diagnostics
		config, diags = schema.LoadFS(ctx, a.program.Demo, schema.Options{Describe: found.Describe})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return a.show(diags)
	})
	if err := g.Wait(); err != nil {
		return err
	}
	if len(config.Jobs) != 1 {
		return fmt.Errorf("the demo has %d jobs instead of one", len(config.Jobs))
	}
	s.plan = config.Jobs[0]
	s.worker, err = worker.Start(ctx, worker.Options{
		Client: s.client.Client, Namespace: s.client.namespace, Files: a.program.Demo, Env: a.env.with(s.sandbox.Env()).LookupEnv, Exec: command.Output, Connectors: found, Logger: log,
	})
	if err != nil {
		return err
	}
	_, err = s.client.apply(ctx, config.Jobs)
	return err
}

// stop ends what has been started, users first.
func (s *stage) stop() {
	if s.worker != nil {
		s.worker.Stop()
	}
	if s.client != nil {
		s.client.Close()
	}
	if s.server != nil {
		s.server.stop()
	}
	if s.sandbox != nil {
		_ = s.sandbox.Stop() // whoever still asks the simulators is cut off
	}
}

func (a *app) showStage(s *stage) {
	a.printf("Temporal   %s, web UI %s\n", s.server.Address, s.server.UIURL)
	a.printf("Gong       %s, simulated: %s\n", s.sandbox.GongURL, plural(len(s.sandbox.Company.Meetings), "meeting"))
	a.printf("Totango    %s, simulated: %s\n", s.sandbox.TotangoURL, plural(len(s.sandbox.Company.Accounts), "account"))
	a.printf("Job        %s\n", schedules.Summary(s.plan))
}
