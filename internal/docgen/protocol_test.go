package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// compile runs docgen as a plugin on a file with a service, two messages and the given comment on the second message's last field.
func compile(t *testing.T, fieldComment string) (string, error) {
	t.Helper()
	at := func(comment string, path ...int32) *descriptorpb.SourceCodeInfo_Location {
		return &descriptorpb.SourceCodeInfo_Location{Path: path, Span: []int32{0, 0, 0}, LeadingComments: proto.String(comment)}
	}
	field := func(name string, number int32, typ descriptorpb.FieldDescriptorProto_Type, of string) *descriptorpb.FieldDescriptorProto {
		f := &descriptorpb.FieldDescriptorProto{Name: &name, Number: &number, Type: &typ, Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()}
		if of != "" {
			f.TypeName = &of
			f.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
		}
		return f
	}
	in, err := proto.Marshal(&pluginpb.CodeGeneratorRequest{
		FileToGenerate: []string{"a/a.proto"},
		ProtoFile: []*descriptorpb.FileDescriptorProto{{
			Name: proto.String("a/a.proto"), Package: proto.String("a"), Syntax: proto.String("proto3"),
			Options: &descriptorpb.FileOptions{GoPackage: proto.String("example.com/a")},
			MessageType: []*descriptorpb.DescriptorProto{
				{Name: proto.String("Question")},
				{Name: proto.String("Answer"), Field: []*descriptorpb.FieldDescriptorProto{
					field("text", 1, descriptorpb.FieldDescriptorProto_TYPE_STRING, ""),
					field("more", 4, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE, ".a.Answer"),
				}},
			},
			Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("Oracle"), Method: []*descriptorpb.MethodDescriptorProto{{
				Name: proto.String("Ask"), InputType: proto.String(".a.Question"), OutputType: proto.String(".a.Answer"),
				ServerStreaming: proto.Bool(true),
			}}}},
			SourceCodeInfo: &descriptorpb.SourceCodeInfo{Location: []*descriptorpb.SourceCodeInfo_Location{
				at(" All about\n oracles.\n", 12),
				at(" Oracle has rules:\n\n   - be\n     patient\n   - be kind\n\n That is all.\n", 6, 0),
				at(" Ask asks:\n\n  1. once\n  2. again\n", 6, 0, 2, 0),
				at(" Question is empty.\n", 4, 0),
				at(" Answer is wise.\n", 4, 1),
				at(" This | that,\n or both.\n", 4, 1, 2, 0),
				at(fieldComment, 4, 1, 2, 1),
			}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := compilerPlugin(bytes.NewReader(in), &out); err != nil {
		return "", err
	}
	var resp pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(out.Bytes(), &resp); err != nil {
		t.Fatal(err)
	}
	if len(resp.File) != 1 || resp.File[0].GetName() != "protocol.md" {
		t.Fatalf("the plugin writes %v, want protocol.md", resp.File)
	}
	return resp.File[0].GetContent(), nil
}

func TestProtocolPage(t *testing.T) {
	got, err := compile(t, " More of it.\n")
	if err != nil {
		t.Fatal(err)
	}
	got = strings.ReplaceAll(strings.TrimPrefix(got, "# The connector protocol\n\n"+protocolNotice), "`", "'")
	want := `
All about oracles.

[connector.proto](../../plugin/protocol/a/a.proto) is this page for machines; the [guide beside
it](../../plugin/protocol/README.md) says how a connector's program is started and what else it has to do.

## Service 'a.Oracle'

Oracle has rules:

- be patient
- be kind

That is all.

### 'Oracle.Ask'

Ask asks:

1. once
2. again

Takes ['Question'](#question), returns a stream of ['Answer'](#answer).

## Messages

### 'Question'

Question is empty.

### 'Answer'

Answer is wise.

|  | Field | Type | Meaning |
|---|---|---|---|
| 1 | 'text' | string | This \| that, or both. |
| 4 | 'more' | repeated ['Answer'](#answer) | More of it. |
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the page (-want +got):\n%s", diff)
	}
}

func TestProtocolPageNeedsComments(t *testing.T) {
	if _, err := compile(t, " \n"); err == nil || !strings.Contains(err.Error(), "no comment in a/a.proto: a.Answer.more") {
		t.Errorf("a field without a comment is the error %v", err)
	}
}

// TestProtocolPageIsComplete compares the page with what the program speaks, in package plugin's words. That the page says what the
// comments of connector.proto do is a matter of generating it anew, which make check does.
func TestProtocolPageIsComplete(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(docs, "connectors", "protocol.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	must := func(what, text string) {
		t.Helper()
		if !strings.Contains(page, text) {
			t.Errorf("the page lacks %s %q; run go generate ./internal/docgen, or describe it in connector.proto", what, text)
		}
	}
	file, err := protoregistry.GlobalFiles.FindFileByPath("durasync/connector/v1/connector.proto")
	if err != nil {
		t.Fatal(err)
	}
	for i := range file.Services().Get(0).Methods().Len() {
		must("the method", "\n### `Connector."+string(file.Services().Get(0).Methods().Get(i).Name())+"`\n")
	}
	for i := range file.Messages().Len() {
		m := file.Messages().Get(i)
		_, section, found := strings.Cut(page, "\n### `"+string(m.Name())+"`\n")
		section, _, _ = strings.Cut(section, "\n### ")
		if !found {
			t.Errorf("the page lacks the message %s", m.Name())
		}
		for j := range m.Fields().Len() {
			if f := m.Fields().Get(j); !strings.Contains(section, row(f)) {
				t.Errorf("the page lacks the field %s", f.FullName())
			}
		}
	}
	for _, name := range []string{"errors.go", "describe.go"} {
		for _, word := range constants(t, filepath.Join("..", "..", "plugin", name)) {
			must("the word of plugin/"+name, "`"+word+"`")
		}
	}
}

func row(f protoreflect.FieldDescriptor) string {
	return "\n| " + strconv.Itoa(int(f.Number())) + " | `" + string(f.Name()) + "` | "
}

// constants are the values of the exported constants of a Go file, which are the words that cross the wire.
func constants(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, d := range file.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.CONST {
			continue
		}
		for _, s := range decl.Specs {
			for _, v := range s.(*ast.ValueSpec).Values {
				if lit, ok := v.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					word, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					words = append(words, word)
				}
			}
		}
	}
	if len(words) < 8 {
		t.Fatalf("only %d constants in %s", len(words), path)
	}
	return words
}
