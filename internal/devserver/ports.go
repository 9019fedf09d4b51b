package devserver

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// PortInUseError says that a port which was asked for is taken.
type PortInUseError struct {
	// Port is the port on 127.0.0.1.
	Port int

	// For is what should have listened there, as a reader would name it.
	For string
}

// Error says which port is taken and what to do about it.
func (e *PortInUseError) Error() string {
	return fmt.Sprintf("port %d on %s, wanted for %s, is already in use: stop the program that listens there, or choose another port "+
		"(0 takes a free one)", e.Port, host, e.For)
}

// ports are the ports of everything that listens.
type ports struct {
	frontend, history, matching, worker, ui int
}

// reservePorts checks the ports that were asked for and finds free ones for the rest. The server and the web UI end the process
// when they cannot listen, so the check comes first.
func reservePorts(frontend, ui int) (ports, error) {
	var (
		got  ports
		held []*net.TCPListener
	)
	// All are held until the last is found, so that no port is handed out twice.
	defer func() {
		for _, l := range held {
			_ = l.Close()
		}
	}()
	for _, want := range []struct {
		port int
		name string
		into *int
	}{
		{frontend, "the Temporal server", &got.frontend},
		{ui, "the web UI", &got.ui},
		{0, "Temporal's history service", &got.history},
		{0, "Temporal's matching service", &got.matching},
		{0, "Temporal's worker service", &got.worker},
	} {
		l, err := listen(want.port, want.name)
		if err != nil {
			return ports{}, err
		}
		held = append(held, l)
		*want.into = l.Addr().(*net.TCPAddr).Port
		if want.port == 0 {
			if err := keepFromReuse(l); err != nil {
				return ports{}, fmt.Errorf("find a free port for %s: %w", want.name, err)
			}
		}
	}
	return got, nil
}

func listen(port int, name string) (*net.TCPListener, error) {
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.ParseIP(host), Port: port})
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, &PortInUseError{Port: port, For: name}
	default:
		return nil, fmt.Errorf("listen on port %d for %s: %w", port, name, err)
	}
}

// keepFromReuse leaves a closed connection in TIME_WAIT on a free port: for a minute the kernel then gives the port to nobody who
// asks for any free port, while those who ask for it by number, as the server will, still get it.
func keepFromReuse(l *net.TCPListener) error {
	dialed, err := net.DialTCP("tcp4", nil, l.Addr().(*net.TCPAddr))
	if err != nil {
		return err
	}
	defer func() { _ = dialed.Close() }()
	accepted, err := l.Accept()
	if err != nil {
		return err
	}
	// The side that closes first is the one left in TIME_WAIT, and it has to be the listening one.
	return accepted.Close()
}
