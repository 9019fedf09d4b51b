package main

// benchmark is a Go benchmark that is run.
type benchmark struct {
	pkg, name string

	// pairs is how often it runs for each arm.
	pairs int

	// single runs it for one arm only, if both are the same program: it takes long, and what matters of it is counted.
	single bool

	// time is its -benchtime: an iteration of most is a sample.
	time string

	// own says that it measures its own package, not the built program.
	own bool

	// postgres runs it on a Temporal server with PostgreSQL.
	postgres bool

	figures []figure
}

// onPostgres is what the names of samples on PostgreSQL end in.
const onPostgres = "/postgres"

func (b *benchmark) title() string {
	if b.postgres {
		return b.name + onPostgres
	}
	return b.name
}

// figure is a line of the table.
type figure struct {
	what string
	unit string // of the benchmark's metric
	sub  string // the sub-benchmark, with a slash before it

	// atMost and atLeast are the target; without either, the figure is printed alone.
	atMost, atLeast float64

	// scale turns the metric into the printed unit, named by as. Zero is 1.
	scale float64
	as    string

	// counted figures have no noise: a count, or the size of something.
	counted bool
}

const (
	e2e    = "./internal/e2e"
	schema = "./schema"
	host   = "./plugin/host"
)

var engine = []figure{
	{what: "one write per record", unit: "records/s"},
	{what: "no-op activities of the same server", unit: "no-ops/s"},
	{what: "one write per record, over no-op activities", unit: "x-no-ops", atLeast: 0.7},
	{what: "one write per record, over a loop without durability", unit: "x-loop"},
	{what: "one write per record, processor time", unit: "cpu-ms/record"},
	{what: "one write per record, peak memory of the worker", unit: "worker-MiB"},
	{what: "one write per record, peak memory of the connectors", unit: "connectors-MiB"},
	{what: "one write per record, peak memory of the server", unit: "server-MiB"},
}

func batches(name string, atLeast float64) []figure {
	return []figure{
		{what: name, unit: "records/s", atLeast: atLeast},
		{what: name + ", over a loop without durability", unit: "x-loop"},
		{what: name + ", processor time", unit: "cpu-µs/record"},
		{what: name + ", peak memory of the worker", unit: "worker-MiB"},
		{what: name + ", peak memory of the connectors", unit: "connectors-MiB"},
		{what: name + ", peak memory of the server", unit: "server-MiB"},
	}
}

func limits(sub, name string) []figure {
	return []figure{
		{what: name + ", over what these alone need", sub: sub, unit: "x-limits", atMost: 1.03},
		{what: name + ", over what Totango's alone needs", sub: sub, unit: "x-totango"},
		{what: name + ", time besides", sub: sub, unit: "s-besides", as: "s"},
		{what: name + ", refused calls", sub: sub, unit: "429s", counted: true},
	}
}

func backfill(sub, size string) []figure {
	return []figure{
		{what: "backfill of " + size + ", calls to Totango per touchpoint", sub: sub, unit: "totango-calls/touchpoint", atMost: 1.03, counted: true},
		{what: "backfill of " + size + ", calls to Gong per listed call", sub: sub, unit: "gong-calls/listed", atMost: 0.06, counted: true},
		{what: "backfill of " + size, sub: sub, unit: "records/s"},
		{what: "backfill of " + size + ", history events", sub: sub, unit: "events/record", counted: true},
		{what: "backfill of " + size + ", history of runs", sub: sub, unit: "history-B/record", counted: true},
		{what: "backfill of " + size + ", history of ledgers", sub: sub, unit: "ledger-B/record", counted: true},
		{what: "backfill of " + size + ", peak memory of the worker", sub: sub, unit: "worker-MiB"},
		{what: "backfill of " + size + ", peak memory of the connectors", sub: sub, unit: "connectors-MiB"},
		{what: "backfill of " + size + ", worker's memory over that for 1,000", sub: sub, unit: "x-worker-memory", atMost: 1.2, counted: true},
		{what: "backfill of " + size + ", connectors' memory over that for 1,000", sub: sub, unit: "x-connectors-memory", atMost: 1.2, counted: true},
	}
}

// once is the -benchtime of benchmarks whose iteration is a sample.
const once = "1x"

// benchmarks are run in this order.
var benchmarks = []benchmark{
	{pkg: e2e, name: "BenchmarkDemo", pairs: 2, time: once, figures: []figure{
		{what: "start of the demo to its first touchpoint", unit: "ms-to-first-touchpoint", as: "ms", atMost: 1000},
		{what: "demo, calls to Totango per touchpoint", unit: "totango-calls/touchpoint", atMost: 1.03, counted: true},
		{what: "demo, calls to Gong per listed call", unit: "gong-calls/listed", atMost: 0.06, counted: true},
	}},
	{pkg: e2e, name: "BenchmarkAtTheLimits", pairs: 1, time: once, figures: append(
		limits("/scale=8", "at eight times the vendors' limits"), limits("/scale=1", "at the vendors' limits")...)},
	{pkg: e2e, name: "BenchmarkOneWritePerRecord", pairs: 2, time: once, figures: engine},
	{pkg: e2e, name: "BenchmarkFileToFile", pairs: 2, time: once, figures: batches("file to file", 20_000)},
	{pkg: e2e, name: "BenchmarkGongToFile", pairs: 1, time: once, figures: batches("Gong to file", 0)},
	{pkg: e2e, name: "BenchmarkNothingToDo", pairs: 1, time: "5x", figures: []figure{
		{what: "nothing to do among 5,000 known meetings", unit: "s", atMost: 2},
		{what: "nothing to do, history events", unit: "events", atMost: 60, counted: true},
	}},
	{pkg: e2e, name: "BenchmarkLatency", pairs: 1, time: once, figures: []figure{
		{what: "schedule fires to first touchpoint, p50", unit: "p50-ms", as: "ms", atMost: 300},
		{what: "schedule fires to first touchpoint, p90", unit: "p90-ms", as: "ms"},
	}},
	{pkg: e2e, name: "BenchmarkBackfill", pairs: 1, single: true, time: once, figures: append(append(
		backfill("/meetings=1000", "1,000"), backfill("/meetings=10000", "10,000")...), backfill("/meetings=100000", "100,000")...)},
	{pkg: e2e, name: "BenchmarkValidate", pairs: 2, time: once, figures: []figure{
		{what: "validate 1 job file", sub: "/jobs=1", unit: "ms"},
		{what: "validate 100 job files", sub: "/jobs=100", unit: "ms"},
		{what: "validate 1,000 job files", sub: "/jobs=1000", unit: "ms", atMost: 1000},
	}},
	{pkg: schema, name: "BenchmarkBody", pairs: 2, time: "1s", own: true, figures: []figure{
		{what: "default body, one core", sub: "/default", unit: "bodies/s", atLeast: 20_000},
		{what: "the same body by a template, one core", sub: "/template", unit: "bodies/s", atLeast: 4000},
	}},
	{pkg: host, name: "BenchmarkRead", pairs: 2, time: "1s", own: true, figures: []figure{
		{what: "connector, overhead of a record", unit: "µs/record", atMost: 20},
	}},
	{pkg: host, name: "BenchmarkStart", pairs: 2, time: "10x", own: true, figures: []figure{
		{what: "connector, start", unit: "ns/op", scale: 1e-6, as: "ms", atMost: 100},
	}},
	{pkg: host, name: "BenchmarkRestart", pairs: 2, time: "10x", own: true, figures: []figure{
		{what: "connector, first answer after SIGKILL", unit: "ns/op", scale: 1e-6, as: "ms", atMost: 150},
	}},
	{pkg: e2e, name: "BenchmarkOneWritePerRecord", pairs: 1, time: once, postgres: true, figures: engine},
	{pkg: e2e, name: "BenchmarkFileToFile", pairs: 1, time: once, postgres: true, figures: batches("file to file", 0)},
	{pkg: e2e, name: "BenchmarkGongToFile", pairs: 1, time: once, postgres: true, figures: batches("Gong to file", 0)},
	{pkg: e2e, name: "BenchmarkLatency", pairs: 1, time: once, postgres: true, figures: []figure{
		{what: "schedule fires to first touchpoint, p50", unit: "p50-ms", as: "ms", atMost: 1000},
	}},
}
