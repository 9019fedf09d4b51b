package plugin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
)

// names are identifiers in every language that has to do with them: HCL, JSON and environment variables.
var (
	labelPattern  = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
	memberPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
)

const (
	// maxMistakes is how many mistakes are reported at once.
	maxMistakes = 20

	// maxNesting is how deep lists and structs can lie in each other.
	maxNesting = 16
)

// Validate reports what is wrong with the description, one error for each mistake, joined; nil if it is right. Of very many mistakes
// it reports the first. The host refuses a connector whose description is wrong; authors check theirs in a test, as the
// conformance kit does.
func (r *DescribeResponse) Validate() error {
	if r == nil {
		return errors.New("there is no description")
	}
	v := &validator{}
	v.label("name", r.Name)
	v.check(r.Version != "", "version: is empty")
	v.check(len(r.Streams)+len(r.Objects) > 0, "streams, objects: the connector offers neither a stream nor an object")
	v.attributes("config", r.Config, false)
	unique(v, "streams", r.Streams, func(s Stream) string { return s.Name })
	for _, s := range r.Streams {
		v.stream("stream "+short(s.Name), s)
	}
	unique(v, "objects", r.Objects, func(o Object) string { return o.Name })
	for _, o := range r.Objects {
		v.object("object "+short(o.Name), o)
	}
	return errors.Join(v.errs...)
}

type validator struct {
	errs     []error // the first ones
	mistakes int
}

func (v *validator) check(ok bool, format string, args ...any) {
	if ok {
		return
	}
	if v.mistakes++; v.mistakes <= maxMistakes {
		v.errs = append(v.errs, fmt.Errorf(format, args...))
	}
}

// short is as much of a name as a message shows.
func short(name string) string {
	const most = 64
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + "…"
}

func (v *validator) label(path, name string) {
	v.check(labelPattern.MatchString(name), "%s: %q is no name: a lower-case letter, then lower-case letters, digits and underscores", path, short(name))
}

func (v *validator) member(path, name string) {
	v.check(memberPattern.MatchString(name), "%s: %q is no name: a letter or underscore, then letters, digits and underscores", path, short(name))
}

// unique checks that no two elements share a key; empty keys do not count.
func unique[T any](v *validator, path string, in []T, key func(T) string) {
	seen := make(map[string]bool, len(in))
	for _, e := range in {
		k := key(e)
		v.check(k == "" || !seen[k], "%s: %q stands there twice", path, short(k))
		seen[k] = true
	}
}

func (v *validator) stream(path string, s Stream) {
	v.label(path+".name", s.Name)
	v.label(path+".record", s.Record)
	v.check(s.MaxRead >= 1, "%s.max_read: is %d and must be at least 1", path, s.MaxRead)
	v.check(len(s.Fields) > 0, "%s.fields: the records have no fields", path)
	v.fields(path, s.Fields, 0)
}

// fields checks the members of a record or struct. A semantic may stand at one of them only: what is mapped by it must be one
// thing.
func (v *validator) fields(path string, fields []Field, depth int) {
	unique(v, path+" (names)", fields, func(f Field) string { return f.Name })
	unique(v, path+" (semantics)", fields, func(f Field) string { return f.Semantic })
	for _, f := range fields {
		at := path + "." + short(f.Name)
		v.member(at, f.Name)
		v.typ(at, f.Type, depth)
	}
}

func (v *validator) typ(path string, t Type, depth int) {
	if depth == maxNesting {
		v.check(false, "%s: lists and structs lie in each other more than %d levels deep", path, maxNesting)
		return
	}
	switch t.Kind {
	case KindString, KindInt, KindNumber, KindBool, KindTime, KindAny:
		v.check(t.Elem == nil && t.Fields == nil, "%s: a type of kind %s has neither an element nor fields", path, t.Kind)
	case KindList:
		v.check(t.Fields == nil, "%s: a list has no fields of its own", path)
		if t.Elem == nil {
			v.check(false, "%s: the list has no element type", path)
			return
		}
		v.check(t.Elem.Kind != KindAny, "%s: a list of any values is itself of kind %s", path, KindAny)
		v.typ(path+"[]", *t.Elem, depth+1)
	case KindStruct:
		v.check(t.Elem == nil, "%s: a struct has no element type", path)
		v.fields(path, t.Fields, depth+1)
	default:
		v.check(false, "%s: %q is no kind of type", path, short(string(t.Kind)))
	}
}

func (v *validator) object(path string, o Object) {
	v.label(path+".name", o.Name)
	v.check(o.MaxCreate >= 1, "%s.max_create: is %d and must be at least 1", path, o.MaxCreate)
	v.check(len(o.Attributes) > 0, "%s.attributes: the object has none", path)
	v.attributes(path, o.Attributes, true)
	if o.ResolvedBy == "" {
		v.check(o.MaxResolve == 0, "%s.max_resolve: is set, but resolved_by is not", path)
		return
	}
	v.check(o.MaxResolve >= 1, "%s.max_resolve: is %d and must be at least 1, as resolved_by is set", path, o.MaxResolve)
	v.check(slices.ContainsFunc(o.Attributes, func(a Attribute) bool { return a.Name == o.ResolvedBy }),
		"%s.resolved_by: the object has no attribute %q", path, short(o.ResolvedBy))
}

// attributes checks those of an object, or of a connection.
func (v *validator) attributes(path string, attrs []Attribute, ofObject bool) {
	unique(v, path+" (names)", attrs, func(a Attribute) string { return a.Name })
	unique(v, path+" (semantics)", attrs, func(a Attribute) string { return a.Semantic })
	for _, a := range attrs {
		at := path + "." + short(a.Name)
		v.member(at, a.Name)
		before := v.mistakes
		v.typ(at, a.Type, 0)
		typed := v.mistakes == before
		v.check(len(a.OneOf) == 0 || a.Type.Kind == KindString, "%s.one_of: is for strings, and this is of kind %s", at, short(string(a.Type.Kind)))
		v.check(a.MaxLength >= 0, "%s.max_length: is negative", at)
		if ofObject {
			v.check(!a.Sensitive, "%s.sensitive: is for attributes of a connection", at)
		} else {
			v.check(a.Semantic == "" && !a.Locked && a.MaxLength == 0,
				"%s: semantic, locked and max_length are for attributes of an object", at)
			v.check(a.Type.Kind != KindAny, "%s: kind %s is for streams and objects", at, KindAny)
		}
		if typed { // a wrong type says nothing about a value
			v.defaultValue(at, a)
		}
	}
}

func (v *validator) defaultValue(path string, a Attribute) {
	if a.Default == nil {
		return
	}
	v.check(!a.Sensitive, "%s.default: a secret has no default", path)
	if err := a.Type.Check(a.Default); err != nil {
		v.check(false, "%s.default: %v", path, err)
		return
	}
	var s string
	if len(a.OneOf) > 0 && json.Unmarshal(a.Default, &s) == nil {
		v.check(slices.Contains(a.OneOf, s), "%s.default: %q is not among one_of", path, short(s))
	}
}

// Check reports whether the JSON value is of the type; the error names the first place where it is not. Null is of every type,
// and a struct may lack members but not have others.
func (t Type) Check(value json.RawMessage) error { return t.check("", value) }

func (t Type) check(path string, value json.RawMessage) error {
	value = trimJSON(value)
	if !json.Valid(value) {
		return at(path, "is not valid JSON")
	}
	if string(value) == "null" {
		return nil
	}
	switch t.Kind {
	case KindAny:
		return nil
	case KindList:
		return t.checkList(path, value)
	case KindStruct:
		return t.checkStruct(path, value)
	default:
		return t.checkScalar(path, value)
	}
}

func (t Type) checkScalar(path string, value json.RawMessage) error {
	var s string
	isString := json.Unmarshal(value, &s) == nil
	isNumber := value[0] == '-' || value[0] >= '0' && value[0] <= '9'
	ok := false
	switch t.Kind {
	case KindString:
		ok = isString
	case KindInt:
		digits := string(value)
		if isString {
			digits = s
		}
		_, ok = new(big.Int).SetString(digits, 10)
	case KindNumber:
		ok = isNumber
	case KindBool:
		ok = string(value) == "true" || string(value) == "false"
	case KindTime:
		_, err := time.Parse(time.RFC3339, s)
		ok = isString && err == nil
	}
	if !ok {
		return at(path, "is not of kind %s", t.Kind)
	}
	return nil
}

func (t Type) checkList(path string, value json.RawMessage) error {
	var list []json.RawMessage
	if t.Elem == nil || value[0] != '[' || json.Unmarshal(value, &list) != nil {
		return at(path, "is not a list")
	}
	for i, e := range list {
		if err := t.Elem.check(fmt.Sprintf("%s[%d]", path, i), e); err != nil {
			return err
		}
	}
	return nil
}

func (t Type) checkStruct(path string, value json.RawMessage) error {
	var members map[string]json.RawMessage
	if value[0] != '{' || json.Unmarshal(value, &members) != nil {
		return at(path, "is not a JSON object")
	}
	for _, f := range t.Fields {
		m, ok := members[f.Name]
		if !ok {
			continue
		}
		if err := f.Type.check(path+"."+f.Name, m); err != nil {
			return err
		}
		delete(members, f.Name)
	}
	for name := range members {
		return at(path, "has a member %q, which is not described", short(name))
	}
	return nil
}

// at makes an error about the value at the path; values are left out, since they may be secret.
func at(path, format string, args ...any) error {
	if path == "" {
		path = "the value"
	}
	return fmt.Errorf("%s %s", path, fmt.Sprintf(format, args...))
}

func trimJSON(value json.RawMessage) json.RawMessage { return bytes.TrimSpace(value) }
