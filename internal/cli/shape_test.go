package cli

import (
	"cmp"
	"encoding"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// shapes writes the form of JSON values from the Go types that they are made of, with what the sources say about each field.
type shapes struct {
	t       *testing.T
	sources map[string]*source // by import path

	// names stand for types whose form is given once.
	names map[reflect.Type]string

	// open are the structs around the one that is written. One inside itself is not written again.
	open map[reflect.Type]bool
}

// source is what the source of a package says.
type source struct {
	fields    map[string]string   // the first sentence about a field, by "Type.Field"
	values    map[string][]string // the string constants of a type, as they are written, by "Type"
	constants map[string]string   // the same by name
}

// of returns the lines of a value's form: a member a line, what may be missing marked by a question mark.
func (s *shapes) of(value any) string {
	var b strings.Builder
	lines := s.value(reflect.TypeOf(value), "")
	width := 0
	for _, l := range lines {
		if l.doc != "" && utf8.RuneCountInString(l.text) <= shapeColumn {
			width = max(width, utf8.RuneCountInString(l.text))
		}
	}
	for _, l := range lines {
		if l.doc != "" {
			l.text = fmt.Sprintf("%-*s  // %s", width, l.text, l.doc)
		}
		fmt.Fprintln(&b, l.text)
	}
	return b.String()
}

const (
	// shapeColumn is where comments begin at the latest, but for those of longer lines.
	shapeColumn = 40

	// shapeWidth is how long a line with alternatives gets.
	shapeWidth = 70
)

type shapeLine struct{ text, doc string }

// value returns the lines of a type. The first one lacks its indentation.
func (s *shapes) value(t reflect.Type, indent string) []shapeLine {
	if name := s.names[t]; name != "" {
		return []shapeLine{{text: name}}
	}
	if scalar := s.scalar(t); scalar != "" {
		return []shapeLine{{text: scalar}}
	}
	switch t.Kind() {
	case reflect.String:
		return oneOf(s.source(t.PkgPath()).values[t.Name()], indent+"  ")
	case reflect.Pointer:
		return s.value(t.Elem(), indent)
	case reflect.Slice:
		lines := s.value(t.Elem(), indent)
		lines[0].text = "[" + lines[0].text
		lines[len(lines)-1].text += ", …]"
		return lines
	case reflect.Map:
		lines := s.value(t.Elem(), indent+"  ")
		lines[0].text = indent + `  "NAME": ` + lines[0].text
		return slices.Concat([]shapeLine{{text: "{"}}, lines, []shapeLine{{text: indent + "}"}})
	case reflect.Struct:
		if s.open[t] {
			return []shapeLine{{text: "{…}"}}
		}
		if s.open == nil {
			s.open = map[reflect.Type]bool{}
		}
		s.open[t] = true
		defer delete(s.open, t)
		lines := []shapeLine{{text: "{"}}
		lines = append(lines, s.members(t, indent+"  ", nil)...)
		return append(lines, shapeLine{text: indent + "}"})
	}
	s.t.Fatalf("no form for values of type %v", t)
	return nil
}

// scalar is the form of a value without members; "" for the others.
func (s *shapes) scalar(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Time]():
		return "TIME"
	case reflect.TypeFor[time.Duration]():
		return "NANOSECONDS"
	case reflect.TypeFor[json.RawMessage]():
		return "{…}"
	}
	if t.Implements(reflect.TypeFor[encoding.TextMarshaler]()) || t.Implements(reflect.TypeFor[json.Marshaler]()) {
		return "STRING"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "BOOL"
	case reflect.String:
		if len(s.source(t.PkgPath()).values[t.Name()]) == 0 {
			return "STRING"
		}
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint64, reflect.Float64:
		return "NUMBER"
	case reflect.Interface:
		return "ANY"
	}
	return ""
}

// oneOf lists alternatives, in as many lines as they take.
func oneOf(values []string, indent string) []shapeLine {
	lines := []shapeLine{{}}
	for i, v := range values {
		last := &lines[len(lines)-1]
		switch {
		case i == 0:
			last.text = v
		case len(last.text)+len(v) < shapeWidth:
			last.text += " | " + v
		default:
			lines = append(lines, shapeLine{text: indent + "| " + v})
		}
	}
	return lines
}

// members returns a line for each member of a struct, and more for those that have members themselves. Like encoding/json it leaves
// out the members of embedded structs that an outer one hides.
func (s *shapes) members(t reflect.Type, indent string, hidden []string) []shapeLine {
	var own []string
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" {
			own = append(own, name)
		}
	}
	var lines []shapeLine
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || slices.Contains(hidden, name):
			continue
		case f.Anonymous && name == "":
			inner := f.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			lines = append(lines, s.members(inner, indent, slices.Concat(hidden, own))...)
			continue
		case !f.IsExported():
			continue
		case name == "":
			s.t.Errorf("%v.%s has no name in JSON", t, f.Name)
		}
		optional := ""
		if options != "" {
			optional = "?"
		}
		value := s.value(f.Type, indent)
		value[0].text = fmt.Sprintf("%s%q%s: %s", indent, name, optional, value[0].text)
		value[0].doc = s.doc(t, &f, optional != "")
		lines = append(lines, value...)
	}
	return lines
}

var goName = regexp.MustCompile(`\[[A-Z]\w+\]|\b[A-Z]\w+\b|\bnil\b`)

// doc is what the source says about a field, in the names of JSON.
func (s *shapes) doc(t reflect.Type, f *reflect.StructField, optional bool) string {
	src := s.source(t.PkgPath())
	return goName.ReplaceAllStringFunc(src.fields[t.Name()+"."+f.Name], func(word string) string {
		word = strings.Trim(word, "[]")
		if word == "nil" && optional {
			return "left out"
		} else if word == "nil" {
			return "null"
		}
		if value := src.constants[word]; value != "" {
			return value
		}
		if other, ok := t.FieldByName(word); ok {
			name, _, _ := strings.Cut(other.Tag.Get("json"), ",")
			return cmp.Or(name, word)
		}
		return word
	})
}

const modulePath = "github.com/durasync/durasync/"

// source reads the source of one of our packages.
func (s *shapes) source(importPath string) *source {
	if known := s.sources[importPath]; known != nil {
		return known
	}
	src := &source{fields: map[string]string{}, values: map[string][]string{}, constants: map[string]string{}}
	s.sources[importPath] = src
	dir, ours := strings.CutPrefix(importPath, modulePath)
	if !ours {
		return src
	}
	files, err := filepath.Glob("../../" + dir + "/*.go")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			s.t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			s.t.Fatal(err)
		}
		ast.Inspect(file, src.collect)
	}
	return src
}

// collect takes in a declaration.
func (s *source) collect(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.TypeSpec:
		if body, ok := n.Type.(*ast.StructType); ok {
			for _, f := range body.Fields.List {
				for _, name := range f.Names {
					s.fields[n.Name.Name+"."+name.Name] = fieldDoc(name.Name, len(f.Names), f)
				}
			}
		}
	case *ast.ValueSpec:
		if n.Type == nil || len(n.Values) != 1 {
			break
		}
		if lit, ok := n.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING && lit.Value != `""` {
			s.constants[n.Names[0].Name] = lit.Value
			if of, ok := n.Type.(*ast.Ident); ok { // not of another package's type
				s.values[of.Name] = append(s.values[of.Name], lit.Value)
			}
		}
	}
	return true
}

// fieldDoc is the first sentence of a field's comment, without the field's name where that begins it: "Total is how many …".
func fieldDoc(name string, names int, f *ast.Field) string {
	text := f.Comment.Text()
	if text == "" {
		text = f.Doc.Text()
	}
	text = strings.Join(strings.Fields(text), " ")
	text, _, _ = strings.Cut(text, ". ")
	text = strings.TrimSuffix(text, ".")
	for _, verb := range []string{"is", "are", "says", "say", "holds"} {
		rest, ok := strings.CutPrefix(text, name+" "+verb+" ")
		if ok && names == 1 {
			return strings.TrimPrefix(rest, "that ")
		}
	}
	return text
}

// exitCodes reads the exit codes and what they mean from their declarations: name to code and comment.
func exitCodes(t *testing.T) map[int]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "exit.go", nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	codes := map[int]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(v.Names[0].Name, "Exit") {
			code, err := strconv.Atoi(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			codes[code] = strings.TrimSpace(v.Comment.Text())
		}
		return true
	})
	return codes
}
