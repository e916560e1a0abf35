package command

import (
	"bytes"
	"strings"
	"sync"
)

// tailLimit bounds what an error quotes, lineLimit what one log message carries.
const (
	tailLimit = 4 << 10
	lineLimit = 64 << 10
)

// output gathers what a script prints: all of it for the state, its lines for the log while it
// runs, and its end for an error.
type output struct {
	stdout, stderr stream
	mu             sync.Mutex // both streams are written at the same time
	log            func(line string)
	tail           []byte
}

// stream is one of the two; it is the io.Writer that the script writes to.
type stream struct {
	to     *output
	all    bytes.Buffer
	line   []byte // begun and not yet logged
	logged bool
	// quoted says that errors may quote it. Standard output that is not to be shown is not quoted;
	// standard error always is, or nobody could tell why a script failed.
	quoted bool
}

func newOutput(logging *Logging, log func(line string)) *output {
	out := &output{log: log}
	out.stdout = stream{to: out, logged: logging.stdout(), quoted: logging.stdout()}
	out.stderr = stream{to: out, logged: logging.stderr(), quoted: true}
	return out
}

// Write never fails and never waits for a reader.
func (s *stream) Write(text []byte) (int, error) {
	s.to.mu.Lock()
	defer s.to.mu.Unlock()
	s.all.Write(text)
	if s.quoted {
		s.to.tail = append(s.to.tail, text...)
		s.to.tail = s.to.tail[max(0, len(s.to.tail)-tailLimit):]
	}
	if s.logged {
		s.logLines(text)
	}
	return len(text), nil
}

func (s *stream) logLines(text []byte) {
	s.line = append(s.line, text...)
	for {
		end := bytes.IndexByte(s.line, '\n')
		switch {
		case end >= 0 && end <= lineLimit:
			s.to.log(valid(s.line[:end]))
			s.line = s.line[end+1:]
		case len(s.line) > lineLimit:
			s.to.log(valid(s.line[:lineLimit]))
			s.line = s.line[lineLimit:]
		default:
			return
		}
	}
}

// result ends the log and returns both streams, each without one final newline.
func (o *output) result() Result {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range []*stream{&o.stdout, &o.stderr} {
		if len(s.line) > 0 {
			o.log(valid(s.line))
			s.line = nil
		}
	}
	return Result{Stdout: o.stdout.text(), Stderr: o.stderr.text()}
}

func (s *stream) text() string { return strings.TrimSuffix(valid(s.all.Bytes()), "\n") }

// lastLines is the end of what the script printed.
func (o *output) lastLines() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.TrimSpace(valid(o.tail))
}

// valid replaces what is not UTF-8: the engine's protocol carries nothing else, and a script that
// has run must not be lost for a byte.
func valid(text []byte) string { return strings.ToValidUTF8(string(text), "\uFFFD") }
