package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/durasync/durasync/schema"
)

func (a *app) fmtCommand() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "fmt [DIR]",
		Short: "Lay out job files in the canonical way",
		Long: `Lay out the job files of a directory, the current one by default: spacing and
indentation change, nothing else. Prints the files that were changed.`,
		Args: maxArgs(1, "at most one directory"),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := dirArg(args)
			files, err := unformatted(dir)
			if err != nil {
				return err
			}
			for _, f := range files {
				if !check {
					if err := replace(f.path, f.formatted); err != nil {
						return environmentError("format %s: %w", f.path, err)
					}
				}
				a.printf("%s\n", f.path)
			}
			if check && len(files) > 0 {
				return invalidError("%s not in the canonical layout; run durasync fmt %s", are(len(files), "file"), dir)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "change nothing; exit 2 if a file is not in the canonical layout")
	return cmd
}

func are(n int, noun string) string {
	if n == 1 {
		return plural(n, noun) + " is"
	}
	return plural(n, noun) + " are"
}

type sourceFile struct {
	path      string
	formatted []byte
}

// unformatted returns the job files of a directory that are not in the canonical layout.
func unformatted(dir string) ([]sourceFile, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, invalidError("the job directory cannot be read: %w", err)
	}
	var files []sourceFile
	found := false
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".hcl") || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		found = true
		path := filepath.Join(dir, e.Name())
		src, err := os.ReadFile(path)
		if err != nil {
			return nil, invalidError("the job file cannot be read: %w", err)
		}
		if formatted := schema.Format(src); !bytes.Equal(src, formatted) {
			files = append(files, sourceFile{path, formatted})
		}
	}
	if !found {
		return nil, invalidError("%s has no job files, whose names end in .hcl", dir)
	}
	return files, nil
}

// replace gives a file new contents at once, so that an interruption leaves the old or the new ones.
func replace(path string, contents []byte) (err error) {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".durasync-fmt-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	_, err = tmp.Write(contents)
	if err == nil {
		err = tmp.Chmod(info.Mode().Perm())
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", tmp.Name(), err)
	}
	return os.Rename(tmp.Name(), path)
}
