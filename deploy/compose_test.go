package deploy

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// composed reads the Compose file as docker compose does, with all profiles. It fails on whatever Compose would refuse.
func composed(t *testing.T, env ...string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{"../docker-compose.yaml"},
		cli.WithProfiles([]string{"*"}), cli.WithEnv(env), cli.WithName("durasync"))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatalf("Compose refuses the file: %v", err)
	}
	return project
}

// serves reports whether a service is one that goes on, and not a command that ends.
func serves(s types.ServiceConfig) bool { return s.Restart == types.RestartPolicyUnlessStopped }

func TestComposeServicesAreBoundedAndWatched(t *testing.T) {
	t.Parallel()
	for name, s := range composed(t).Services {
		if s.Deploy == nil || s.Deploy.Resources.Limits == nil || s.Deploy.Resources.Limits.MemoryBytes == 0 ||
			s.Deploy.Resources.Limits.NanoCPUs == 0 || s.Deploy.Resources.Limits.Pids == 0 {
			t.Errorf("%s may use all memory, CPUs or process ids of the machine", name)
		}
		if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s may gain privileges", name)
		}
		if name != "postgresql" && !slices.Equal(s.CapDrop, []string{"ALL"}) { // postgres starts as root, to own its files
			t.Errorf("%s keeps capabilities", name)
		}
		if s.Restart == "" && !slices.Contains(s.Profiles, "tools") {
			t.Errorf("%s stays down when it fails", name)
		}
		if serves(s) && s.HealthCheck == nil {
			t.Errorf("nobody sees whether %s works", name)
		}
		for _, p := range s.Ports {
			if p.HostIP != "127.0.0.1" {
				t.Errorf("%s is open to other machines at port %s", name, p.Published)
			}
		}
		if s.Image != "durasync" {
			continue
		}
		if s.Init == nil || !*s.Init {
			t.Errorf("%s has no init: what killed connectors leave behind stays", name)
		}
		if !s.ReadOnly {
			t.Errorf("the files of %s can be changed", name)
		}
		if !slices.ContainsFunc(s.Tmpfs, func(m string) bool { return strings.HasPrefix(m, "/tmp:") && strings.Contains(m, "exec,") }) {
			t.Errorf("%s has no /tmp from which connectors can be started: %q", name, s.Tmpfs)
		}
	}
}

func TestComposeScalesWorkers(t *testing.T) {
	t.Parallel()
	worker := composed(t).Services["worker"]
	if worker.ContainerName != "" || len(worker.Ports) > 0 {
		t.Error("a second worker would want the name or the port of the first one")
	}
	if worker.StopGracePeriod == nil || time.Duration(*worker.StopGracePeriod) <= 30*time.Second {
		t.Errorf("a worker is killed after %v, while its steps may take 30 seconds to end", worker.StopGracePeriod)
	}
}

// TestComposeHandsSecretsInFiles: an environment is shown by docker inspect, and inherited by every process of the container.
func TestComposeHandsSecretsInFiles(t *testing.T) {
	t.Parallel()
	project, err := composed(t).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"compose/secrets", "compose/credentials"} {
		for _, name := range files(t, dir) {
			for secret := range strings.Lines(read(t, filepath.Join(dir, name))) {
				if secret = strings.TrimSpace(secret); !strings.HasPrefix(secret, "#") && bytes.Contains(project, []byte(secret)) {
					t.Errorf("the content of %s stands in the Compose file", name)
				}
			}
		}
	}
}

// TestComposeTakesADirectoryOfOnesOwn: nothing of the demo is left when the directory is another one.
func TestComposeTakesADirectoryOfOnesOwn(t *testing.T) {
	t.Parallel()
	project, err := composed(t, "DURASYNC_DIR=/srv/acme").MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(project, []byte("deploy/compose")) {
		t.Errorf("the demo's files are still in use:\n%s", project)
	}
}

// ofService is a service's container.
func ofService(t *testing.T, project *types.Project, name string) container {
	t.Helper()
	s, ok := project.Services[name]
	if !ok {
		t.Fatalf("the Compose file has no service %s", name)
	}
	c := container{name: name, args: s.Command, env: map[string]string{}, mounts: map[string]string{}}
	for k, v := range s.Environment {
		if v != nil {
			c.env[k] = *v
		}
	}
	for _, v := range s.Volumes {
		c.mounts[v.Target] = v.Source
	}
	for _, secret := range s.Secrets {
		c.mounts[path.Join("/run/secrets", secret.Source)] = project.Secrets[secret.Source].File
	}
	return c
}

// TestComposeSyncs runs the services of the file that are durasync's, two workers among them, and the commands at its top. The meetings
// have to arrive in the simulated Totango, Temporal must not be able to read them, and the codec server must.
func TestComposeSyncs(t *testing.T) {
	t.Parallel()
	project := composed(t)
	h := newHost(t)
	gong, totango, codec := freePort(t), freePort(t), freePort(t)
	h.stand = map[string]string{
		"temporal:7233": h.temporal, "0.0.0.0": "127.0.0.1", ":8234": "127.0.0.1:" + codec,
		"8082": gong, "8083": totango, "http://sandbox:8082": "http://127.0.0.1:" + gong, "http://sandbox:8083": "http://127.0.0.1:" + totango,
	}
	sandbox := h.start(ofService(t, project, "sandbox"), nil)
	sandbox.answers(h.health(project, "sandbox", nil))

	worker := ofService(t, project, "worker")
	worker.mounts["/jobs"] = h.jobs(worker, worker.mounts["/jobs"])
	var workers []*process
	for range 2 {
		port := freePort(t) // containers have one each
		stand := map[string]string{":9090": "127.0.0.1:" + port, "127.0.0.1:9090": "127.0.0.1:" + port}
		p := h.start(worker, stand)
		p.answers(h.health(project, "worker", stand))
		workers = append(workers, p)
	}

	tool := ofService(t, project, "durasync")
	tool.mounts["/jobs"] = worker.mounts["/jobs"]
	tool.args = []string{"apply"}
	h.ok(tool, nil)
	tool.args = []string{"sync", "gong_meetings", "--json"}
	var run struct {
		WorkflowID string `json:"workflow_id"`
		RunID      string `json:"run_id"`
		Outcome    string
	}
	if err := json.Unmarshal([]byte(h.ok(tool, nil)), &run); err != nil {
		t.Fatal(err)
	}
	page, err := get("http://127.0.0.1:" + totango)
	if err != nil {
		t.Fatal(err)
	}
	if written := regexp.MustCompile(`<p class="lead">[1-9][0-9]* touchpoints in`); !written.MatchString(page) {
		t.Errorf("no touchpoint is in Totango after a run that is %s:\n%s", run.Outcome, page)
	}

	codecServer := h.start(ofService(t, project, "codec-server"), nil)
	codecServer.line("decoding at")
	encrypted, plain := payloads(t, fmt.Sprintf("%s/api/v1/namespaces/default/workflows/%s/history?execution.runId=%s",
		h.ui, url.PathEscape(run.WorkflowID), run.RunID))
	if len(encrypted) == 0 || strings.Contains(plain, `{"job":`) { // search attributes stay readable: the job's name, counts
		t.Errorf("Temporal can read what the run is told: %d payloads are encrypted, and of the others it reads\n%s", len(encrypted), plain)
	}
	decode := "http://127.0.0.1:" + codec + "/decode"
	if status, text := decoded(t, decode, encrypted); status != http.StatusOK || !strings.Contains(text, `"job":"gong_meetings"`) {
		t.Errorf("the codec server answers %d, and the run's input is not in\n%s", status, text)
	}

	for _, p := range append(workers, codecServer, sandbox) {
		if code := p.stop(); code != 0 && code != 130 {
			t.Errorf("%s ends with exit code %d when it is told to stop:\n%s", p.name, code, p.said())
		}
	}
}

// health is the URL that a service's health check asks, as it is here.
func (h *host) health(project *types.Project, name string, stand map[string]string) string {
	test := project.Services[name].HealthCheck.Test
	return h.here(container{}, stand, test[len(test)-1])
}

// payload is a value in Temporal's JSON: everything in it is Base64.
type payload struct {
	Metadata map[string]string `json:"metadata"`
	Data     string            `json:"data"`
}

// payloads returns the payloads of a history that are encrypted, and what is readable in it.
func payloads(t *testing.T, url string) (encrypted []payload, plain string) {
	t.Helper()
	text, err := get(url)
	if err != nil {
		t.Fatal(err)
	}
	var history any
	if err := json.Unmarshal([]byte(text), &history); err != nil {
		t.Fatal(err)
	}
	var readable strings.Builder
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			if b, err := json.Marshal(v); err == nil && v["metadata"] != nil && v["data"] != nil {
				var p payload
				if err := json.Unmarshal(b, &p); err != nil {
					t.Fatal(err)
				}
				if encoding, err := base64.StdEncoding.DecodeString(p.Metadata["encoding"]); err != nil {
					t.Fatal(err)
				} else if string(encoding) == "binary/encrypted" {
					encrypted = append(encrypted, p)
					return
				}
				data, err := base64.StdEncoding.DecodeString(p.Data)
				if err != nil {
					t.Fatal(err)
				}
				readable.Write(data)
				return
			}
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(history)
	return encrypted, readable.String()
}

// decoded asks a codec server, and returns what it says in plain text.
func decoded(t *testing.T, url string, encrypted []payload) (status int, text string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"payloads": encrypted})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Payloads []payload }
	if resp.StatusCode != http.StatusOK {
		return resp.StatusCode, string(b)
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, p := range answer.Payloads {
		data, err := base64.StdEncoding.DecodeString(p.Data)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
		all.WriteByte('\n')
	}
	return resp.StatusCode, all.String()
}
