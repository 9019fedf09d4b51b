package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/durasync/durasync/plugin/internal/gate"
	wirev1 "github.com/durasync/durasync/plugin/internal/wire/v1"
)

// fake is a connector that offers nothing but its description.
type fake struct {
	description *DescribeResponse
	err         error
}

func (f fake) Describe(context.Context, *DescribeRequest) (*DescribeResponse, error) {
	return f.description, f.err
}

func (f fake) Configure(context.Context, *ConfigureRequest) (*ConfigureResponse, error) {
	return &ConfigureResponse{}, nil
}

func TestCommand(t *testing.T) {
	good := fake{description: valid()}
	wrong := fake{description: &DescribeResponse{Name: "crm"}}
	tests := map[string]struct {
		connector      Connector
		args           []string
		code           int
		stdout, stderr string // parts
	}{
		"by hand":           {good, nil, 2, "", `is the Durasync connector "crm", version 1.0.0`},
		"unknown":           {good, []string{"serve"}, 2, "", "describe and version"},
		"version":           {good, []string{"version"}, 0, "crm 1.0.0\n", ""},
		"describe":          {good, []string{"describe"}, 0, `"max_read": 100`, ""},
		"wrong description": {wrong, []string{"describe"}, 1, "", "version: is empty"},
		"no description":    {fake{err: errors.New("broken")}, nil, 1, "", "broken"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := command(t.Context(), tt.connector, tt.args, &stdout, &stderr)
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			for _, stream := range []struct{ name, got, want string }{
				{"stdout", stdout.String(), tt.stdout}, {"stderr", stderr.String(), tt.stderr},
			} {
				if !strings.Contains(stream.got, stream.want) || (stream.want == "") != (stream.got == "") {
					t.Errorf("%s is %q, want %q in it", stream.name, stream.got, stream.want)
				}
			}
		})
	}
}

// What describe prints can be read back: programs in other languages do so.
func TestDescribePrintsJSON(t *testing.T) {
	var out bytes.Buffer
	command(t.Context(), fake{description: valid()}, []string{"describe"}, &out, &out)
	var got DescribeResponse
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(valid(), &got); diff != "" {
		t.Errorf("(-described +read back):\n%s", diff)
	}
}

// A connector that lacks an optional interface says so with a detail that the host understands.
func TestUnimplemented(t *testing.T) {
	s := &server{connector: fake{description: valid()}, log: hclog.NewNullLogger(), gate: gate.New()}
	calls := map[string]func(context.Context) error{
		"Check": func(ctx context.Context) error { _, err := s.Check(ctx, &wirev1.CheckRequest{}); return err },
		"List":  func(ctx context.Context) error { _, err := s.List(ctx, &wirev1.ListRequest{}); return err },
		"Read":  func(context.Context) error { return s.Read(&wirev1.ReadRequest{}, nil) },
		"Create": func(ctx context.Context) error {
			_, err := s.Create(ctx, &wirev1.CreateRequest{})
			return err
		},
		"Resolve": func(ctx context.Context) error { _, err := s.Resolve(ctx, &wirev1.ResolveRequest{}); return err },
		"Find":    func(ctx context.Context) error { _, err := s.Find(ctx, &wirev1.FindRequest{}); return err },
		"Preview": func(ctx context.Context) error { _, err := s.Preview(ctx, &wirev1.PreviewRequest{}); return err },
	}
	for name, call := range calls {
		st := status.Convert(call(t.Context()))
		if st.Code() != codes.Unimplemented || len(st.Details()) != 1 {
			t.Errorf("%s: %v, want unimplemented with a detail", name, st)
			continue
		}
		detail := st.Details()[0].(*wirev1.Error)
		if detail.GetCode() != string(CodeUnimplemented) || detail.GetUncertain() {
			t.Errorf("%s: detail %v", name, detail)
		}
	}
}

// Once the process is stopping no call begins, and none is said to have written.
func TestStopping(t *testing.T) {
	s := &server{connector: fake{description: valid()}, log: hclog.NewNullLogger(), gate: gate.New()}
	<-s.gate.Close()
	_, err := s.Describe(t.Context(), &wirev1.DescribeRequest{})
	detail, ok := status.Convert(err).Details()[0].(*wirev1.Error)
	if !ok || detail.GetCode() != string(CodeUnavailable) || !detail.GetRetryable() || detail.GetUncertain() {
		t.Errorf("error %v, detail %v", err, detail)
	}
}
