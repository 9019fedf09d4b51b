package deploy

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// cluster is what kubectl apply -k would make known, by kind and name.
type cluster map[string]runtime.Object

// kinds are those of the manifests.
var kinds = []runtime.Object{
	&corev1.Namespace{}, &corev1.ConfigMap{}, &corev1.Service{}, &appsv1.Deployment{}, &batchv1.Job{},
	&policyv1.PodDisruptionBudget{}, &networkingv1.NetworkPolicy{}, &networkingv1.Ingress{},
}

// rendered builds the example. It fails on fields that Kubernetes does not have.
func rendered(t *testing.T) cluster {
	t.Helper()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), "kubernetes/example")
	if err != nil {
		t.Fatal(err)
	}
	all := cluster{}
	for _, r := range built.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(kinds, func(o runtime.Object) bool { return reflect.TypeOf(o).Elem().Name() == r.GetKind() })
		if i < 0 {
			t.Fatalf("the test does not know what a %s is", r.GetKind())
		}
		o := kinds[i].DeepCopyObject()
		if err := yaml.UnmarshalStrict(text, o); err != nil {
			t.Errorf("Kubernetes refuses %s %s: %v", r.GetKind(), r.GetName(), err)
		}
		all[r.GetKind()+" "+r.GetName()] = o
	}
	return all
}

// object returns an object of the cluster.
func object[T runtime.Object](t *testing.T, c cluster, name string) T {
	t.Helper()
	var zero T
	o, ok := c[reflect.TypeOf(zero).Elem().Name()+" "+name].(T)
	if !ok {
		t.Fatalf("the example has no %T %s", zero, name)
	}
	return o
}

// pods returns the templates of all pods, by the name of what makes them.
func (c cluster) pods() map[string]corev1.PodTemplateSpec {
	all := map[string]corev1.PodTemplateSpec{}
	for _, o := range c {
		switch o := o.(type) {
		case *appsv1.Deployment:
			all[o.Name] = o.Spec.Template
		case *batchv1.Job:
			all[o.Name] = o.Spec.Template
		}
	}
	return all
}

// TestPodsAreRestricted holds the pods to the profile "restricted" of Kubernetes' Pod Security Standards, which the example's namespace
// enforces, and to a little more.
func TestPodsAreRestricted(t *testing.T) {
	t.Parallel()
	c := rendered(t)
	if level := object[*corev1.Namespace](t, c, "durasync").Labels["pod-security.kubernetes.io/enforce"]; level != "restricted" {
		t.Errorf("the namespace enforces %q", level)
	}
	for name, pod := range c.pods() {
		p := pod.Spec
		s := cmp.Or(p.SecurityContext, &corev1.PodSecurityContext{})
		if !is(s.RunAsNonRoot, true) || s.RunAsUser == nil || *s.RunAsUser == 0 {
			t.Errorf("%s may run as root", name)
		}
		if s.SeccompProfile == nil || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			t.Errorf("%s may make every system call", name)
		}
		if !is(p.AutomountServiceAccountToken, false) {
			t.Errorf("%s gets a token of the cluster, which it has no use for", name)
		}
		for _, container := range p.Containers {
			s := cmp.Or(container.SecurityContext, &corev1.SecurityContext{})
			if !is(s.AllowPrivilegeEscalation, false) || !is(s.ReadOnlyRootFilesystem, true) ||
				s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 {
				t.Errorf("%s may gain privileges, change its files, or has capabilities", name)
			}
			needs, most := container.Resources.Requests, container.Resources.Limits
			if most.Memory().IsZero() || needs.Memory().IsZero() || needs.Cpu().IsZero() {
				t.Errorf("%s does not say what it needs, or may use all memory of its node", name)
			}
			for _, e := range container.Env {
				if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
					t.Errorf("%s has the secret %s in its environment", name, e.Name)
				}
			}
			for _, from := range container.EnvFrom {
				if from.SecretRef != nil {
					t.Errorf("%s has the Secret %s in its environment", name, from.SecretRef.Name)
				}
			}
		}
		for _, v := range p.Volumes {
			if v.Secret != nil && *v.Secret.DefaultMode&0o007 != 0 {
				t.Errorf("everybody in %s may read the Secret %s", name, v.Secret.SecretName)
			}
		}
	}
}

func is(p *bool, want bool) bool { return p != nil && *p == want }

// TestWorkersEndInTime: a step that is cut off is tried again only when its deadline has passed.
func TestWorkersEndInTime(t *testing.T) {
	t.Parallel()
	pod := rendered(t).pods()["durasync-worker"].Spec
	if pod.TerminationGracePeriodSeconds == nil || *pod.TerminationGracePeriodSeconds <= 30 {
		t.Error("a worker is killed before the 30 seconds have passed that it gives its steps")
	}
	if !is(pod.ShareProcessNamespace, true) {
		t.Error("nobody reaps what a killed connector leaves behind: durasync would be the first process of its pod")
	}
}

// TestSelectorsFindTheirPods: one that finds none is no error to Kubernetes.
func TestSelectorsFindTheirPods(t *testing.T) {
	t.Parallel()
	c := rendered(t)
	selectors := map[string]*metav1.LabelSelector{}
	for name, o := range c {
		switch o := o.(type) {
		case *appsv1.Deployment:
			selectors[name] = o.Spec.Selector
		case *policyv1.PodDisruptionBudget:
			selectors[name] = o.Spec.Selector
		case *networkingv1.NetworkPolicy:
			selectors[name] = &o.Spec.PodSelector
		case *corev1.Service:
			selectors[name] = &metav1.LabelSelector{MatchLabels: o.Spec.Selector}
		}
	}
	want := map[string][]string{
		"Deployment durasync-worker":                {"durasync-worker"},
		"Deployment durasync-codec-server":          {"durasync-codec-server"},
		"PodDisruptionBudget durasync-worker":       {"durasync-worker"},
		"PodDisruptionBudget durasync-codec-server": {"durasync-codec-server"},
		"NetworkPolicy durasync":                    {"durasync-apply", "durasync-codec-server", "durasync-worker"},
		"NetworkPolicy durasync-temporal":           {"durasync-apply", "durasync-worker"},
		"NetworkPolicy durasync-worker":             {"durasync-worker"},
		"NetworkPolicy durasync-codec-server":       {"durasync-codec-server"},
		"Service durasync-codec-server":             {"durasync-codec-server"},
	}
	if got, want := slices.Sorted(maps.Keys(selectors)), slices.Sorted(maps.Keys(want)); !slices.Equal(got, want) {
		t.Errorf("there are selectors of %q, want %q", got, want)
	}
	for name, selector := range selectors {
		s, err := metav1.LabelSelectorAsSelector(selector)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for pod, template := range c.pods() {
			if s.Matches(labels.Set(template.Labels)) {
				got = append(got, pod)
			}
		}
		if slices.Sort(got); !slices.Equal(got, want[name]) {
			t.Errorf("%s finds the pods of %q, want %q", name, got, want[name])
		}
	}
	ingress := object[*networkingv1.Ingress](t, c, "durasync-codec-server")
	backend := ingress.Spec.Rules[0].HTTP.Paths[0].Backend.Service
	service := object[*corev1.Service](t, c, backend.Name)
	if service.Spec.Ports[0].Name != backend.Port.Name {
		t.Errorf("the Ingress asks port %q of a Service that has %q", backend.Port.Name, service.Spec.Ports[0].Name)
	}
}

// ofPod is the only container of a pod. Its mounts are directories of this machine, made by volume.
func ofPod(t *testing.T, c cluster, pod string, volume func(corev1.Volume) string) container {
	t.Helper()
	spec := c.pods()[pod].Spec
	if len(spec.Containers) != 1 || len(spec.InitContainers) > 0 {
		t.Fatalf("%s has several containers", pod)
	}
	in := spec.Containers[0]
	if len(in.Command) > 0 {
		t.Fatalf("%s does not run the image's program", pod)
	}
	out := container{name: pod, args: in.Args, env: map[string]string{}, mounts: map[string]string{}}
	for _, from := range in.EnvFrom {
		maps.Copy(out.env, object[*corev1.ConfigMap](t, c, from.ConfigMapRef.Name).Data)
	}
	for _, e := range in.Env {
		out.env[e.Name] = e.Value
	}
	for _, m := range in.VolumeMounts {
		i := slices.IndexFunc(spec.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name })
		if i < 0 {
			t.Fatalf("%s mounts %s, which is no volume", pod, m.Name)
		}
		out.mounts[m.MountPath] = volume(spec.Volumes[i])
	}
	return out
}

// mounted puts files into a directory as the kubelet does for a ConfigMap or a Secret, and replaces those that are there: the names are
// links through a link, which is exchanged.
func mounted(t *testing.T, dir string, content map[string]string) {
	t.Helper()
	version := filepath.Join(dir, fmt.Sprintf("..%d", time.Now().UnixNano()))
	if err := os.Mkdir(version, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range content {
		write(t, filepath.Join(version, name), text)
		link := filepath.Join(dir, name)
		if _, err := os.Lstat(link); err == nil {
			continue
		}
		if err := os.Symlink(filepath.Join("..data", name), link); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Base(version), filepath.Join(dir, "..new")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "..new"), filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
}

// TestKubernetesRuns runs what the example's pods run, with the volumes that they have. The worker has to pass its probes, the job to
// apply what was reviewed and nothing else, and the worker to follow when the ConfigMap changes.
func TestKubernetesRuns(t *testing.T) {
	t.Parallel()
	c := rendered(t)
	h := newHost(t)
	h.stand = map[string]string{object[*corev1.ConfigMap](t, c, "durasync-temporal").Data["TEMPORAL_ADDRESS"]: h.temporal}
	secrets := map[string]map[string]string{
		"durasync-connections": {"gong_access_key": "a", "gong_access_key_secret": "b", "totango_app_token": "c"},
		"durasync-encryption":  {"encryption_keys": read(t, "compose/secrets/encryption_keys")},
		"durasync-codec":       {"codec_token": "a token of the codec server"},
		"durasync-temporal":    nil, // optional
	}
	used := map[string]bool{}
	volume := func(v corev1.Volume) string {
		dir := t.TempDir()
		switch {
		case v.ConfigMap != nil:
			mounted(t, dir, object[*corev1.ConfigMap](t, c, v.ConfigMap.Name).Data)
		case v.Secret != nil:
			content, ok := secrets[v.Secret.SecretName]
			if !ok || content == nil && !is(v.Secret.Optional, true) {
				t.Errorf("the Secret %s is not there", v.Secret.SecretName)
			}
			used[v.Secret.SecretName] = true
			mounted(t, dir, content)
		}
		return dir
	}

	worker := ofPod(t, c, "durasync-worker", volume)
	jobs := object[*corev1.ConfigMap](t, c, "durasync-jobs").Data
	for name, text := range jobs {
		jobs[name] = h.here(worker, nil, text)
	}
	mounted(t, worker.mounts["/jobs"], jobs)
	port := freePort(t)
	w := h.start(worker, map[string]string{":9090": "127.0.0.1:" + port})
	spec := c.pods()["durasync-worker"].Spec.Containers[0]
	if spec.Ports[0].ContainerPort != 9090 {
		t.Errorf("the probes ask port %d, and the worker listens on 9090", spec.Ports[0].ContainerPort)
	}
	for _, probe := range []*corev1.Probe{spec.StartupProbe, spec.LivenessProbe, spec.ReadinessProbe} {
		if probe.HTTPGet.Port.String() != spec.Ports[0].Name {
			t.Errorf("a probe asks port %s, which is none", &probe.HTTPGet.Port)
		}
		w.answers("http://127.0.0.1:" + port + probe.HTTPGet.Path)
	}
	w.answers("http://127.0.0.1:" + port + c.pods()["durasync-worker"].Annotations["prometheus.io/path"])

	apply := ofPod(t, c, "durasync-apply", volume)
	job := object[*batchv1.Job](t, c, "durasync-apply").Spec
	final := job.PodFailurePolicy.Rules[0].OnExitCodes.Values
	hash := func(args []string, value string) []string {
		return strings.Split(strings.ReplaceAll(strings.Join(args, "\x00"), "$(PLAN_HASH)", value), "\x00")
	}
	stale := apply
	stale.args = hash(apply.args, "000000000000")
	if code, stdout, stderr := h.run(stale, nil); !slices.Contains(final, int32(code)) {
		t.Errorf("the Job tries a plan that nobody has reviewed again (exit code %d):\n%s%s", code, stdout, stderr)
	}
	fresh := apply
	fresh.args = hash(apply.args, apply.env["PLAN_HASH"])
	h.ok(fresh, nil)
	elsewhere := apply
	elsewhere.args, elsewhere.env = fresh.args, maps.Clone(apply.env)
	elsewhere.env["TEMPORAL_ADDRESS"] = "127.0.0.1:" + freePort(t)
	if code, stdout, stderr := h.run(elsewhere, nil); code == 0 || slices.Contains(final, int32(code)) {
		t.Errorf("the Job gives up while Temporal is starting (exit code %d):\n%s%s", code, stdout, stderr)
	}

	jobs["connections.hcl"] = strings.ReplaceAll(jobs["connections.hcl"], `"success"`, `"growth"`)
	jobs["jobs.hcl"] = strings.ReplaceAll(jobs["jobs.hcl"], "totango.success", "totango.growth")
	mounted(t, worker.mounts["/jobs"], jobs)
	until(t, "the worker serves the connection that the ConfigMap has now", func() error {
		if said := w.said(); !strings.Contains(said, "totango.growth") {
			return fmt.Errorf("it says:\n%s", said)
		}
		return nil
	})
	if code := w.stop(); code != 0 && code != 130 {
		t.Errorf("the worker ends with exit code %d:\n%s", code, w.said())
	}

	codec := ofPod(t, c, "durasync-codec-server", volume)
	if port := c.pods()["durasync-codec-server"].Spec.Containers[0].Ports[0].ContainerPort; port != 8234 {
		t.Errorf("the Service asks port %d, and the codec server listens on 8234", port)
	}
	h.start(codec, map[string]string{":8234": "127.0.0.1:" + freePort(t)}).line("decoding at")

	for name := range secrets {
		if !used[name] {
			t.Errorf("no pod uses the Secret %s", name)
		}
	}
}
