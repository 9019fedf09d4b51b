package cli

import (
	"context"
	"maps"
	"net"
	"slices"
	"strconv"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/durasync/durasync/internal/sandbox"
)

// sandboxFlags say what the simulated systems hold.
type sandboxFlags struct {
	seed     uint64
	meetings int
	limits   bool
}

func (f *sandboxFlags) register(cmd *cobra.Command) {
	cmd.Flags().Uint64Var(&f.seed, "seed", 0, "seed of the simulated company")
	cmd.Flags().IntVar(&f.meetings, "meetings", 0, "number of meetings; 0 means about 320")
	cmd.Flags().BoolVar(&f.limits, "limits", false, "enforce the rate limits of the real systems")
}

func (f *sandboxFlags) options() (sandbox.Options, error) {
	if f.meetings < 0 {
		return sandbox.Options{}, invalidError("--meetings %d is negative", f.meetings)
	}
	return sandbox.Options{Seed: f.seed, Size: sandbox.Size{Meetings: f.meetings}, Limits: f.limits}, nil
}

// startSandbox starts the simulators. They run until Stop or until the context ends.
func startSandbox(ctx context.Context, o sandbox.Options) (*sandbox.Server, error) {
	s, err := sandbox.Start(ctx, o)
	if err != nil && ctx.Err() == nil {
		return nil, environmentError("%w", err)
	}
	return s, err
}

func (a *app) sandboxCommand() *cobra.Command {
	var flags sandboxFlags
	var host string
	var gongPort, totangoPort int
	cmd := a.reports(&cobra.Command{
		Use:   "sandbox",
		Short: "Run a simulated Gong and Totango",
		Long: `Run a simulated Gong and a simulated Totango with a made-up company in them,
until interrupted. Prints the environment with which the job files of
examples/demo reach them. Equal seeds give equal companies.`,
		Args: maxArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := a.logger(cmd, hclog.Off); err != nil {
				return err
			}
			opts, err := flags.options()
			if err != nil {
				return err
			}
			opts.GongAddr = net.JoinHostPort(host, strconv.Itoa(gongPort))
			opts.TotangoAddr = net.JoinHostPort(host, strconv.Itoa(totangoPort))
			s, err := startSandbox(cmd.Context(), opts)
			if err != nil {
				return err
			}
			a.showSandbox(s, flags.seed)
			<-cmd.Context().Done()
			return s.Stop()
		},
	})
	cmd.Flags().StringVar(&host, "host", "127.0.0.1", "address to listen on")
	cmd.Flags().IntVar(&gongPort, "gong-port", 0, "port of the simulated Gong; 0 takes a free one")
	cmd.Flags().IntVar(&totangoPort, "totango-port", 0, "port of the simulated Totango; 0 takes a free one")
	flags.register(cmd)
	return cmd
}

func (a *app) showSandbox(s *sandbox.Server, seed uint64) {
	env := s.Env()
	if a.json {
		a.writeJSON(map[string]any{
			"gong": s.GongURL, "totango": s.TotangoURL, "seed": seed, "meetings": len(s.Company.Meetings), "env": env,
		})
		return
	}
	a.printf("Gong      %s\nTotango   %s (open it in a browser to see accounts and touchpoints)\n", s.GongURL, s.TotangoURL)
	a.printf("\nFor the worker that uses them:\n\n")
	for _, name := range slices.Sorted(maps.Keys(env)) {
		a.printf("  export %s=%s\n", name, env[name])
	}
	a.printf("\nPress Ctrl-C to stop.\n")
}
