package postgrestest_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/durasync/durasync/internal/postgrestest"
)

// inChild is the variable that makes the test binary a process that uses a server until it is killed.
const inChild = "POSTGRESTEST_CHILD"

func TestCommittedRowsOutliveACrash(t *testing.T) {
	s := postgrestest.Start(t)
	db := s.Database(t)
	if _, err := s.Connect(t, db).Exec(t.Context(), "CREATE TABLE t AS SELECT 7 AS n"); err != nil {
		t.Fatal(err)
	}
	s.Crash(t)
	if conn, err := net.Dial("tcp", address(s.Port)); err == nil {
		conn.Close()
		t.Error("the server takes connections after its crash")
	}
	s.Restart(t)
	var n int
	if err := s.Connect(t, db).QueryRow(t.Context(), "SELECT n FROM t").Scan(&n); err != nil || n != 7 {
		t.Errorf("after the restart, the table holds %d (%v), want 7", n, err)
	}
}

// TestServerEndsWithItsTestBinary kills a test binary while it uses a server.
func TestServerEndsWithItsTestBinary(t *testing.T) {
	if os.Getenv(inChild) != "" {
		s := postgrestest.Shared(t)
		fmt.Println("serving", s.Port, s.Socket())
		select {}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), inChild+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var port, dir string
	for lines := bufio.NewScanner(out); dir == "" && lines.Scan(); {
		if words := strings.Fields(lines.Text()); len(words) == 3 && words[0] == "serving" {
			port, dir = words[1], words[2]
		}
	}
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("the server has no directory: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	gone := func() bool {
		_, err := os.Stat(dir)
		return errors.Is(err, fs.ErrNotExist)
	}
	for end := time.Now().Add(time.Minute); !gone(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the directory %s is still there", dir)
		}
	}
	n, _ := strconv.Atoi(port) // it stands in the line that was read
	if conn, err := net.Dial("tcp", address(n)); err == nil {
		conn.Close()
		t.Error("the server goes on although its test binary is gone")
	}
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
