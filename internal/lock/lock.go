// Package lock reads and writes the lock file of a job directory, which says by checksum which programs of connectors run there.
package lock

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// FileName is the lock file's name.
const FileName = "durasync.lock.json"

// format is the version of the lock file's form.
const format = 1

// Connectors are the entries of a lock file, by the connector's name.
type Connectors map[string]Connector

// Connector is what a lock file says of a connector.
type Connector struct {
	Version  string `json:"version"`  // the connector's own
	Protocol int    `json:"protocol"` // the version of the connector protocol that it speaks

	// SHA256 has the checksum of the program for each platform, such as "linux_amd64", in hex.
	SHA256 map[string]string `json:"sha256"`
}

type file struct {
	Version    int        `json:"version"`
	Connectors Connectors `json:"connectors"`
}

// Platform is the platform of this program.
func Platform() string { return runtime.GOOS + "_" + runtime.GOARCH }

// Read reads the lock file of a directory. One that is not there locks nothing.
func Read(dir string) (Connectors, error) {
	path := filepath.Join(dir, FileName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Connectors{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the lock file cannot be read: %w", err)
	}
	locked, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; restore it, or delete it and run durasync connector install again", path, err)
	}
	return locked, nil
}

func parse(text []byte) (Connectors, error) {
	var form struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(text, &form); err != nil {
		return nil, fmt.Errorf("not valid JSON: %w", err)
	}
	if form.Version != format {
		return nil, fmt.Errorf("its form has version %d, this program knows version %d", form.Version, format)
	}
	var f file
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&f); err != nil {
		return nil, err
	}
	for name, c := range f.Connectors {
		for platform, sum := range c.SHA256 {
			if b, err := hex.DecodeString(sum); err != nil || len(b) != 32 {
				return nil, fmt.Errorf("%q is no SHA-256 checksum, for the connector %s on %s", sum, name, platform)
			}
		}
	}
	return f.Connectors, nil
}

// Checksum returns the checksum that a connector's program must have on this platform. The error says how it is locked instead.
func (c Connector) Checksum() (string, error) {
	if sum := c.SHA256[Platform()]; sum != "" {
		return sum, nil
	}
	return "", fmt.Errorf("%s locks it for %s and not for %s; run durasync connector install with its program for this platform",
		FileName, strings.Join(slices.Sorted(maps.Keys(c.SHA256)), ", "), Platform())
}

// Add locks a connector. Checksums for other platforms stay if they are of the same version; dropped are those that are not. Two
// Adds at once can lose one of the two, which the next start of that connector tells.
func Add(dir, name string, c Connector) (dropped []string, err error) {
	locked, err := Read(dir)
	if err != nil {
		return nil, err
	}
	for platform, sum := range locked[name].SHA256 {
		switch {
		case c.SHA256[platform] != "":
		case locked[name].Version == c.Version && locked[name].Protocol == c.Protocol:
			c.SHA256[platform] = sum
		default:
			dropped = append(dropped, platform)
		}
	}
	if locked == nil {
		locked = Connectors{}
	}
	locked[name] = c
	slices.Sort(dropped)
	return dropped, write(dir, locked)
}

// write replaces the lock file in one step.
func write(dir string, locked Connectors) error {
	text, err := json.MarshalIndent(file{format, locked}, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+FileName+"-")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, FileName))
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
