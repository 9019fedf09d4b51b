package deptest

// Names in rules are import paths. One that ends in "/..." stands for itself and all below it.
const (
	temporalAll    = "go.temporal.io/..."
	temporalClient = "go.temporal.io/sdk/client"
	temporalFlow   = "go.temporal.io/sdk/workflow"
	temporalServer = "go.temporal.io/server/..."
	temporalUI     = "github.com/temporalio/ui-server/v2/..."
	hcl            = "github.com/hashicorp/hcl/v2/..."
	cty            = "github.com/zclconf/go-cty/..."
)

// Reasons that several rules share.
const (
	ownModule     = "package plugin must stay able to become a module of its own"
	noTemporal    = "every connector links this package, and a connector knows nothing of Temporal"
	noLanguage    = "connectors describe their configuration as data; the host decodes HCL against it"
	deterministic = "workflow code must do the same at every replay: it gets this from an activity, or from Temporal's workflow package"
	injected      = "activities reach the world through the interfaces that they declare; internal/worker injects the rest"
	planInstead   = "workflows and activities get a compiled plan, so that they link neither the language nor the plugin host"
	oneLanguage   = "HCL and cty stay in package schema; what others need of them, schema offers"
	publicOnly    = "connectors prove that the public surface is enough for somebody outside this repository"
	heavyServer   = "the embedded server is 100 MB of code and minutes to compile: only cmd/durasync links it"
)

// rules are checked by TestRules. They bind what is built, not the tests: imports of _test.go files are free.
var rules = []rule{
	{
		packages: []string{ours("plugin/...")},
		closure: bans{
			temporalAll:            noTemporal,
			hcl:                    noLanguage,
			cty:                    noLanguage,
			ours("schema/..."):     ownModule,
			ours("workflows/..."):  ownModule,
			ours("activities/..."): ownModule,
			ours("connectors/..."): ownModule,
			ours("internal/..."):   ownModule,
			ours("examples/..."):   ownModule,
			ours("cmd/..."):        ownModule,
		},
	},
	{
		packages: []string{ours("plugin")},
		closure: bans{
			ours("plugin/host"):       "the host launches connectors; a connector does not carry it",
			ours("plugin/plugintest"): "the conformance kit is for tests",
		},
		direct: bans{
			"testing": "connectors are no tests (go-plugin links it anyway, so only the direct import can be ruled out)",
		},
	},
	{
		packages: []string{ours("schema/plan")},
		only: []string{
			"std",
		},
		onlyWhy: "a plan is the input of workflows and stored in their histories for years",
	},
	{
		packages: []string{ours("schema")},
		closure: bans{
			temporalAll:            "compiling a job needs no server, so that it works in CI and in an editor",
			ours("plugin/host"):    "compiling a job starts no process; the caller passes the connectors' descriptions",
			ours("workflows/..."):  "the language does not know who runs its plans",
			ours("activities/..."): "the language does not know who runs its plans",
			ours("internal/..."):   "package schema is public",
		},
		direct: bans{
			"net/http": "compiling a job has no side effects",
			"os/exec":  "compiling a job has no side effects",
		},
	},
	{
		packages: []string{ours("...")},
		except:   []string{ours("schema")},
		direct:   bans{hcl: oneLanguage, cty: oneLanguage},
	},
	{
		packages: []string{ours("workflows")},
		closure: bans{
			hcl:                    planInstead,
			cty:                    planInstead,
			ours("schema"):         planInstead,
			ours("plugin/host"):    planInstead,
			ours("internal/..."):   "package workflows is public",
			ours("connectors/..."): "workflows run any connector",
		},
		direct: bans{
			"os":            deterministic,
			"net":           deterministic,
			"net/http":      deterministic,
			"math/rand":     deterministic,
			"math/rand/v2":  deterministic,
			"crypto/rand":   deterministic,
			"sync":          "workflow code has coroutines and channels of Temporal's; a lock of Go's can deadlock a worker",
			"encoding/json": "workflowcheck rejects it (it walks maps); the data converter decodes at the edge",
			"maps":          "a map's order differs from replay to replay: use slices, or workflow.DeterministicKeys",
			temporalClient:  "a workflow talks to the server through commands",
		},
	},
	{
		packages: []string{ours("activities")},
		closure: bans{
			ours("workflows"):      "workflows import activities, for their names",
			hcl:                    planInstead,
			cty:                    planInstead,
			ours("schema"):         planInstead,
			ours("plugin/host"):    injected,
			ours("internal/..."):   injected,
			ours("connectors/..."): injected,
		},
		direct: bans{
			temporalFlow:   "an activity is not part of a workflow",
			temporalClient: injected,
			"net/http":     injected,
			"os/exec":      injected,
		},
	},
	{
		packages: []string{ours("connectors/...")},
		ours:     []string{ours("plugin"), ours("plugin/httpkit"), ours("connectors/...")},
		oursWhy:  publicOnly,
		closure:  bans{temporalAll: noTemporal, hcl: noLanguage, cty: noLanguage},
	},
	{
		packages: []string{ours("...")},
		except:   []string{ours("cmd/durasync"), ours("internal/devserver")},
		closure:  bans{temporalServer: heavyServer, temporalUI: heavyServer},
	},
	{
		packages: []string{ours("...")},
		except:   []string{ours("cmd/...")},
		closure:  bans{ours("cmd/..."): "commands are at the top"},
	},
}
