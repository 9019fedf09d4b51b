package deptest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/durasync/durasync"

// ours is the import path of a package of this module, or of a group of them.
func ours(path string) string { return module + "/" + path }

// bans maps import paths to the reason why they are ruled out.
type bans map[string]string

// rule says what some packages may not import.
type rule struct {
	packages []string // whom it binds
	except   []string // whom of these it does not bind

	direct  bans // not imported by the package itself
	closure bans // not imported by the package, nor by anything that it imports

	only    []string // the closure has nothing else but the package itself; "std" is the standard library
	onlyWhy string

	ours    []string // the package itself imports nothing else of this module
	oursWhy string
}

// pkg is what `go list -json` tells about a package.
type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Deps       []string
	Error      *struct{ Err string }
}

func TestRules(t *testing.T) {
	watchSources(t)
	all := list(t, "-deps", module+"/...")
	for _, r := range rules {
		t.Run(strings.ReplaceAll(strings.Join(r.packages, ","), module+"/", ""), func(t *testing.T) {
			bound := slices.DeleteFunc(matching(all, r.packages), func(path string) bool { return matchesAny(path, r.except) })
			if len(bound) == 0 {
				t.Fatalf("no package is called %v any more: the rule checks nothing", r.packages)
			}
			for _, path := range bound {
				for _, violation := range violations(all, r, path) {
					t.Error(violation)
				}
			}
		})
	}
}

// A rule about a package that does not exist, or whose name has changed, would hold for ever.
func TestRulesNameWhatExists(t *testing.T) {
	named := make(map[string]bool)
	for _, r := range rules {
		for _, paths := range [][]string{
			r.packages, r.except, r.ours, slices.Collect(maps.Keys(r.direct)), slices.Collect(maps.Keys(r.closure)),
		} {
			for _, path := range paths {
				named[path] = true
			}
		}
	}
	watchSources(t)
	all := list(t, "-deps", module+"/...")
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if len(matching(all, []string{name})) > 0 {
			continue
		}
		// What nobody imports is not in the closure; it exists all the same if go list finds it.
		for path, p := range list(t, name) {
			if p.Error != nil {
				t.Errorf("a rule names %s, which does not exist: %s", path, p.Error.Err)
			}
		}
		if strings.HasSuffix(name, "/...") {
			t.Errorf("a rule names %s, and there is no such package", name)
		}
	}
}

func TestViolations(t *testing.T) {
	graph := map[string]pkg{
		"a":            {ImportPath: "a", Imports: []string{"b", "os"}, Deps: []string{"b", "c", "os"}},
		"b":            {ImportPath: "b", Imports: []string{"c"}, Deps: []string{"c"}},
		"c":            {ImportPath: "c"},
		"os":           {ImportPath: "os", Standard: true},
		module + "/x":  {ImportPath: module + "/x", Imports: []string{module + "/y"}, Deps: []string{module + "/y"}},
		module + "/y":  {ImportPath: module + "/y"},
		module + "/yy": {ImportPath: module + "/yy"},
	}
	for name, tc := range map[string]struct {
		rule rule
		path string
		want []string
	}{
		"direct":                 {rule{direct: bans{"b": "why"}}, "a", []string{"a imports b: why"}},
		"direct, not by a third": {rule{direct: bans{"c": "why"}}, "a", nil},
		"closure":                {rule{closure: bans{"c/...": "why"}}, "a", []string{"a imports b imports c: why"}},
		"only std":               {rule{only: []string{"std"}, onlyWhy: "why"}, "b", []string{"b imports c: why"}},
		"only std, and b and c":  {rule{only: []string{"std", "b", "c"}}, "a", nil},
		"ours": {
			rule{ours: []string{ours("yy")}, oursWhy: "why"}, ours("x"), []string{ours("x") + " imports " + ours("y") + ": why"},
		},
		"ours, allowed": {rule{ours: []string{ours("y/...")}}, ours("x"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := violations(graph, tc.rule, tc.path); !slices.Equal(got, tc.want) {
				t.Errorf("violations = %q, want %q", got, tc.want)
			}
		})
	}
}

func violations(all map[string]pkg, r rule, path string) []string {
	var found []string
	p := all[path]
	for _, dep := range p.Imports {
		if why := r.direct.reason(dep); why != "" && dep != path {
			found = append(found, fmt.Sprintf("%s imports %s: %s", path, dep, why))
		}
		if len(r.ours) > 0 && strings.HasPrefix(dep, module) && !matchesAny(dep, r.ours) {
			found = append(found, fmt.Sprintf("%s imports %s: %s", path, dep, r.oursWhy))
		}
	}
	for _, dep := range p.Deps {
		if why := r.closure.reason(dep); why != "" && dep != path {
			found = append(found, fmt.Sprintf("%s: %s", strings.Join(chain(all, path, dep), " imports "), why))
		}
		if len(r.only) > 0 && !matchesAny(dep, r.only) && (!all[dep].Standard || !slices.Contains(r.only, "std")) {
			found = append(found, fmt.Sprintf("%s: %s", strings.Join(chain(all, path, dep), " imports "), r.onlyWhy))
		}
	}
	return found
}

// chain is a shortest path of imports between two packages.
func chain(all map[string]pkg, from, to string) []string {
	via := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0 && via[to] == ""; queue = queue[1:] {
		for _, next := range all[queue[0]].Imports {
			if _, seen := via[next]; !seen {
				via[next] = queue[0]
				queue = append(queue, next)
			}
		}
	}
	var path []string
	for at := to; at != ""; at = via[at] {
		path = append(path, at)
	}
	slices.Reverse(path)
	return path
}

func (b bans) reason(path string) string {
	for name, why := range b {
		if matches(path, name) {
			return why
		}
	}
	return ""
}

func matching(all map[string]pkg, names []string) []string {
	var found []string
	for path := range all {
		if matchesAny(path, names) {
			found = append(found, path)
		}
	}
	slices.Sort(found)
	return found
}

func matchesAny(path string, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return matches(path, name) })
}

func matches(path, name string) bool {
	group, isGroup := strings.CutSuffix(name, "/...")
	return path == name || isGroup && (path == group || strings.HasPrefix(path, group+"/"))
}

// watchSources looks at every Go file of the module: go test reuses a result for as long as nothing changes that the test itself
// looked at, and what go list reads does not count.
func watchSources(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		_, err = os.Stat(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// list runs go list and gives what it says by import path.
func list(t *testing.T, args ...string) map[string]pkg {
	t.Helper()
	args = append([]string{"list", "-e", "-json=ImportPath,Standard,Imports,Deps,Error"}, args...)
	cmd := exec.CommandContext(t.Context(), "go", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %v: %v\n%s", args, err, &stderr)
	}
	found := make(map[string]pkg)
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		found[p.ImportPath] = p
	}
}
