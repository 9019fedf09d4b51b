package schema

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// Options are what [Load] needs from its caller.
type Options struct {
	// Describe returns the description of a connector by its name, the first label of connection blocks. It is called once
	// for each connector that the files name, concurrently; an error becomes a diagnostic on the label. Required.
	Describe func(ctx context.Context, connector string) (*plugin.DescribeResponse, error)

	// Configure asks a connector whether it takes a configuration: a JSON object as [plugin.ConfigureRequest] has it, in which what
	// env(), file() and exec() read is replaced by a stand-in unless Env is given. It is called once for each connection that is right by its
	// description, concurrently. An error of type [*plugin.Error] with the name or path of an attribute becomes a diagnostic where the
	// attribute stands. If it is nil, nobody is asked.
	Configure func(ctx context.Context, connector string, config json.RawMessage) error

	// Env reads an environment variable. If it is nil, none of env(), file() and exec() is evaluated and nothing has a Config:
	// checking and applying jobs needs no secrets. A worker sets it to [os.LookupEnv].
	Env func(name string) (string, bool)

	// Exec runs the command of an exec() and returns what it prints. It is called only where Env is.
	Exec func(ctx context.Context, name string, args ...string) (string, error)

	// Serves says for which connections the secrets are read; the others have no Config, and may lack secrets. Nil means all.
	Serves func(connection string) bool
}

// Config is what the files of a directory define, as far as it is valid.
type Config struct {
	// Connections are the connections without errors, by ID.
	Connections []Connection

	// Notifiers are the notifiers without errors, by ID.
	Notifiers []Notifier

	// Jobs are the jobs without errors whose connections and notifiers have none, by name.
	Jobs []*plan.Plan
}

// Load reads the *.hcl files of a directory, not those in directories below it, and the templates that they name. It returns
// what is valid, never nil, with everything that is wrong or doubtful. The file names in diagnostics start with dir; those in
// plans are relative to it.
func Load(ctx context.Context, dir string, opts Options) (*Config, Diagnostics) {
	config, diags := LoadFS(ctx, os.DirFS(dir), opts)
	if prefix := filepath.ToSlash(filepath.Clean(dir)); prefix != "." {
		rename := func(r *Range) {
			if r != nil {
				r.Filename = path.Join(prefix, r.Filename)
			}
		}
		for i := range diags {
			rename(diags[i].Range)
		}
		for i := range config.Connections {
			rename(&config.Connections[i].Range)
		}
		for i := range config.Notifiers {
			rename(&config.Notifiers[i].Range)
		}
	}
	return config, diags
}

// LoadFS is [Load] for the root of a file system, such as an embedded one.
func LoadFS(ctx context.Context, fsys fs.FS, opts Options) (*Config, Diagnostics) {
	l := &loader{
		fsys: fsys, opts: opts, files: map[string]*sourceFile{}, connections: map[string]*connection{},
		notifiers: map[string]*notifier{}, descriptions: map[string]*description{}, printed: map[string]string{},
		templates: &templateFiles{fsys: fsys, files: map[string]*template{}, errs: map[string]error{}},
	}
	config := l.load(ctx)
	maps.Copy(l.files, l.templates.sources())
	var diags Diagnostics
	for _, d := range l.diags {
		diags = append(diags, toDiagnostic(d, l.files))
	}
	return config, diags.sort()
}

// loader holds what the steps of a load hand on to each other.
type loader struct {
	fsys  fs.FS
	opts  Options
	files map[string]*sourceFile
	order []*sourceFile
	diags hcl.Diagnostics

	connections  map[string]*connection // by ID
	notifiers    map[string]*notifier   // likewise
	jobs         []*jobBlock
	descriptions map[string]*description // by connector; nil if it cannot be had
	templates    *templateFiles
	printed      map[string]string // by commands, with their arguments
	secrets      []string          // that were read
}

func (l *loader) load(ctx context.Context) *Config {
	l.read()
	l.declare()
	l.describe(ctx)
	l.decodeSecrets(ctx)

	plans := make([]*plan.Plan, len(l.jobs))
	diags := make([]hcl.Diagnostics, len(l.jobs))
	parallel(len(l.jobs), func(i int) { plans[i], diags[i] = compileJob(l, l.jobs[i]) })

	config := &Config{}
	for i, p := range plans {
		l.diags = append(l.diags, diags[i]...)
		if p != nil {
			config.Jobs = append(config.Jobs, p)
		}
	}
	for _, c := range l.connections {
		if !c.invalid {
			config.Connections = append(config.Connections, c.Connection)
		}
	}
	for _, n := range l.notifiers {
		if !n.invalid {
			config.Notifiers = append(config.Notifiers, n.Notifier)
		}
	}
	slices.SortFunc(config.Jobs, func(a, b *plan.Plan) int { return strings.Compare(a.Job, b.Job) })
	slices.SortFunc(config.Connections, func(a, b Connection) int { return strings.Compare(a.ID(), b.ID()) })
	slices.SortFunc(config.Notifiers, func(a, b Notifier) int { return strings.Compare(a.ID(), b.ID()) })
	return config
}

// read parses the files.
func (l *loader) read() {
	entries, err := fs.ReadDir(l.fsys, ".")
	if err != nil {
		l.diags = append(l.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Directory cannot be read",
			Detail: fmt.Sprintf("The directory of the job files: %s.", reason(err)), Extra: note{code: CodeFile}})
		return
	}
	var found []string
	for _, e := range entries {
		if !e.IsDir() && strings.HasSuffix(e.Name(), ".hcl") && !strings.HasPrefix(e.Name(), ".") {
			found = append(found, e.Name())
		}
	}
	if len(found) == 0 {
		l.diags = append(l.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "No job files",
			Detail: "The directory has no file whose name ends in .hcl.", Extra: note{code: CodeFile}})
	}
	l.order = make([]*sourceFile, len(found))
	diags := make([]hcl.Diagnostics, len(found))
	parallel(len(found), func(i int) { l.order[i], diags[i] = readSource(l.fsys, found[i]) })
	for i, f := range l.order {
		l.files[f.name] = f
		l.diags = append(l.diags, diags[i]...)
	}
}

func readSource(fsys fs.FS, name string) (*sourceFile, hcl.Diagnostics) {
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		at := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
		return &sourceFile{name: name, broken: true, body: &hclsyntax.Body{}},
			hcl.Diagnostics{problem(CodeFile, at, "File cannot be read", "%s: %s.", name, reason(err))}
	}
	return parseSource(name, src)
}

// describe asks for the descriptions of the connectors that connections name.
func (l *loader) describe(ctx context.Context) {
	blocks := map[string][]*connection{}
	for _, c := range l.connections {
		blocks[c.Type] = append(blocks[c.Type], c)
	}
	connectors := slices.Sorted(maps.Keys(blocks))
	found := make([]*description, len(connectors))
	errs := make([]error, len(connectors))
	var wg sync.WaitGroup
	for i, name := range connectors { // each may start a process: all at once, however many processors there are
		wg.Go(func() { found[i], errs[i] = describe(ctx, l.opts, name) })
	}
	wg.Wait()
	for i, name := range connectors {
		l.descriptions[name] = found[i]
		if errs[i] == nil {
			continue
		}
		for _, c := range blocks[name] {
			c.invalid = true
			l.diags = append(l.diags, problem(CodeConnector, c.block.LabelRanges[0], "Connector not available",
				"The connector %q cannot be described: %s.", name, strings.TrimSuffix(errs[i].Error(), ".")))
		}
	}
}

func describe(ctx context.Context, opts Options, connector string) (*description, error) {
	if opts.Describe == nil {
		return nil, errors.New("the program gives no access to connectors")
	}
	d, err := opts.Describe(ctx, connector)
	if err != nil {
		return nil, err
	}
	out, err := newDescription(d)
	if err != nil {
		return nil, fmt.Errorf("its description is invalid: %w", err)
	}
	return out, nil
}

// parallel calls f with 0 to n-1, on as many goroutines as there are processors.
func parallel(n int, f func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}
