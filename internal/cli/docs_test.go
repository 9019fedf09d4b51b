package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// documents returns the Markdown files of the repository, by their path in it.
func documents(t *testing.T) map[string]string {
	t.Helper()
	root := os.DirFS("../..")
	docs := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		paths, err := fs.Glob(root, pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := fs.ReadFile(root, path)
			if err != nil {
				t.Fatal(err)
			}
			docs[path] = string(text)
		}
	}
	return docs
}

var (
	code    = regexp.MustCompile("(?s)```.*?```|`[^`\n]+`")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	mention = regexp.MustCompile(`((?:-\S+ +)?\S*)\bdurasync((?: +(?:--?[a-z][a-z-]*|[a-z]+(?:-[a-z]+)*\b))+)`)
	aTest   = regexp.MustCompile(`\bTest[A-Z]\w+`)
)

// TestDocumentsLinkToWhatExists follows the links to files and headings.
func TestDocumentsLinkToWhatExists(t *testing.T) {
	docs := documents(t)
	for path, text := range docs {
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(text, ""), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			to := path
			if target != "" {
				to = filepath.Join(filepath.Dir(path), target)
			}
			if _, err := os.Stat("../../" + filepath.ToSlash(to)); err != nil {
				t.Errorf("%s links to %s, which does not exist", path, to)
				continue
			}
			if anchor != "" && strings.HasSuffix(to, ".md") && !slices.Contains(anchors(docs[to]), anchor) {
				t.Errorf("%s links to %s#%s, but there is no such heading", path, to, anchor)
			}
		}
	}
}

// anchors are the names that GitHub gives the headings of a page.
func anchors(text string) []string {
	drop := regexp.MustCompile(`[^\pL\pN _-]`)
	var out []string
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		out = append(out, strings.ReplaceAll(strings.ToLower(drop.ReplaceAllString(m[1], "")), " ", "-"))
	}
	return out
}

// TestDocumentsNameCommandsThatExist looks up the commands, with their flags, that the documents show as code.
func TestDocumentsNameCommandsThatExist(t *testing.T) {
	root := newApp(program, Options{}).root()
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	for path, text := range documents(t) {
		for _, block := range code.FindAllString(text, -1) {
			for line := range strings.Lines(block) {
				line, _, _ = strings.Cut(line, "#") // a comment in a script
				for _, m := range mention.FindAllStringSubmatch(line, -1) {
					if strings.HasPrefix(m[1], "-") || strings.ContainsAny(m[1], "=[") {
						continue // the value of a flag, or of a variable, or the reference line of a touchpoint
					}
					if err := look(root, strings.Fields(m[2]), line); err != nil {
						t.Errorf("%s: %s: %v", path, strings.TrimSpace(line), err)
					}
				}
			}
		}
	}
}

var aFlag = regexp.MustCompile(`(?:^|[\s\[])(--?[a-z][a-z-]*)`)

// look finds a command by the words after the program's name, and the flags that stand in the same line.
func look(root *cobra.Command, words []string, line string) error {
	c := root
	for _, w := range words {
		if strings.HasPrefix(w, "-") {
			break
		}
		i := slices.IndexFunc(c.Commands(), func(sub *cobra.Command) bool { return sub.Name() == w })
		if i < 0 {
			break // an argument
		}
		c = c.Commands()[i]
	}
	if c == root && !strings.HasPrefix(words[0], "-") {
		return fmt.Errorf("there is no command %s", words[0])
	}
	rest := line[strings.Index(line, c.CommandPath())+len(c.CommandPath()):]
	rest, _, _ = strings.Cut(rest, "durasync ")
	for _, m := range aFlag.FindAllStringSubmatch(strings.Trim(rest, "`\n"), -1) {
		name := strings.TrimLeft(m[1], "-")
		f := c.Flags().Lookup(name)
		if f == nil && len(name) == 1 {
			f = c.Flags().ShorthandLookup(name)
		}
		if f == nil && c.InheritedFlags().Lookup(name) == nil && name != "help" {
			return fmt.Errorf("%s has no flag %s", c.CommandPath(), m[1])
		}
	}
	return nil
}

// TestReadmeHasAllFeatures looks for the row of each feature.
func TestReadmeHasAllFeatures(t *testing.T) {
	readme := documents(t)["README.md"]
	for _, group := range []struct {
		letter string
		rows   int
	}{{"C", 2}, {"J", 13}, {"S", 6}, {"T", 3}, {"B", 11}} {
		for i := range group.rows {
			if row := fmt.Sprintf("\n| %s%d | ", group.letter, i+1); strings.Count(readme, row) != 1 {
				t.Errorf("the table of features has no row %s%d, or more than one", group.letter, i+1)
			}
		}
	}
}

// TestEveryReasonIsExplained looks for the row of each reason in the page for those who miss a meeting.
func TestEveryReasonIsExplained(t *testing.T) {
	source, err := os.ReadFile("../../activities/ledger.go")
	if err != nil {
		t.Fatal(err)
	}
	reasons := regexp.MustCompile(`(?m)^\tReason\w+ Reason = "(\w+)"$`).FindAllStringSubmatch(string(source), -1)
	if len(reasons) == 0 {
		t.Fatal("no reasons are declared where they were")
	}
	page := documents(t)["docs/why-not-there.md"]
	for _, m := range reasons {
		if row := "\n| `" + m[1] + "` | "; strings.Count(page, row) != 1 {
			t.Errorf("the page has no row for the reason %s, or more than one", m[1])
		}
	}
}

// TestDocumentsNameTestsThatExist looks up the tests that documents refer to.
func TestDocumentsNameTestsThatExist(t *testing.T) {
	tests := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(string(text), -1) {
			tests[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range documents(t) {
		for _, name := range aTest.FindAllString(text, -1) {
			if !tests[name] {
				t.Errorf("%s: there is no test %s", path, name)
			}
		}
	}
}
