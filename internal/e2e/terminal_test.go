package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// columns is how wide a terminal has to be for everything that the program prints.
const columns = 80

// checkPlain checks that a text has nothing in it that only a terminal understands.
func checkPlain(t *testing.T, what, text string) {
	t.Helper()
	if strings.ContainsAny(text, "\x1b\r\t") {
		t.Errorf("%s: an escape sequence, a carriage return or a tab:\n%q", what, text)
	}
}

// checkWidth checks that a text fits a terminal. Addresses are never broken: one that is too long stands on a line of its own.
func checkWidth(t *testing.T, what, text string) {
	t.Helper()
	for l := range strings.Lines(text) {
		l = strings.TrimSuffix(l, "\n")
		word := strings.TrimSpace(l)
		if utf8.RuneCountInString(l) > columns && !(strings.HasPrefix(word, "http") && !strings.Contains(word, " ")) {
			t.Errorf("%s: a line of %d columns:\n%s", what, utf8.RuneCountInString(l), l)
		}
		if strings.TrimRight(l, " ") != l {
			t.Errorf("%s: a line that ends in blanks:\n%q", what, l)
		}
	}
}

// commandLine is a command in a list of commands.
var commandLine = regexp.MustCompile(`^  ([a-z]+) {2,}\S`)

// commandsOf returns the commands that a help text lists.
func commandsOf(help string) []string {
	var names []string
	for l := range strings.Lines(help) {
		if strings.HasPrefix(l, "Flags:") {
			break
		}
		if m := commandLine.FindStringSubmatch(l); m != nil {
			names = append(names, m[1])
		}
	}
	return names
}

// TestHelpFitsTheTerminal reads the help of every command, down to the last.
func TestHelpFitsTheTerminal(t *testing.T) {
	t.Parallel()
	env := []string{"HOME=" + t.TempDir()}
	n := 0
	var read func(path ...string)
	read = func(path ...string) {
		args := append(slices.Clone(path), "--help")
		r := run(t, env, args...)
		if r.code != 0 || r.stderr != "" {
			t.Errorf("%v: exit code %d, %s", args, r.code, r.stderr)
		}
		if len(path) > 0 && path[0] == "completion" {
			return // cobra's own, for shells
		}
		n++
		checkPlain(t, fmt.Sprint(args), r.stdout)
		checkWidth(t, fmt.Sprint(args), r.stdout)
		for _, name := range commandsOf(r.stdout) {
			read(append(slices.Clone(path), name)...)
		}
	}
	read()
	if n < 15 {
		t.Errorf("only %d commands were found", n)
	}
}
