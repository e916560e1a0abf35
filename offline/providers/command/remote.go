package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"golang.org/x/crypto/ssh"

	"private-registry/offline/providers/internal/plan"
)

// Remote is command.remote.Command: scripts on another host, over SSH.
type Remote struct{}

// RemoteArgs are the inputs.
type RemoteArgs struct {
	ScriptArgs
	Connection Connection `pulumi:"connection" provider:"secret"`
}

// RemoteState is what the state holds.
type RemoteState struct {
	RemoteArgs
	Result
}

var remoteInputs = append([]plan.Input{
	{Name: "connection", Members: append([]string{"proxy"}, endpointMembers...)},
}, scriptInputs...)

// Annotate gives the official token.
func (r *Remote) Annotate(a infer.Annotator) { a.SetToken("remote", "Command") }

// Create runs the create script. When it fails nothing is kept, so the next `up` runs it again.
func (*Remote) Create(ctx context.Context, req infer.CreateRequest[RemoteArgs]) (
	infer.CreateResponse[RemoteState], error,
) {
	state := RemoteState{RemoteArgs: req.Inputs}
	id, err := newID(req.Name)
	if err == nil && !req.DryRun {
		err = state.run(ctx, "create", req.Inputs.Create)
	}
	if err != nil {
		return infer.CreateResponse[RemoteState]{}, err
	}
	return infer.CreateResponse[RemoteState]{ID: id, Output: state}, nil
}

// Update runs the update script, else the create script. When it fails the old state is kept. A
// changed connection is such an update: the new host is set up, the old one is left as it is.
func (*Remote) Update(ctx context.Context, req infer.UpdateRequest[RemoteArgs, RemoteState]) (
	infer.UpdateResponse[RemoteState], error,
) {
	state := RemoteState{RemoteArgs: req.Inputs, Result: req.State.Result}
	if req.DryRun {
		return infer.UpdateResponse[RemoteState]{Output: state}, nil
	}
	phase, script := state.onUpdate()
	err := state.run(ctx, phase, script)
	return infer.UpdateResponse[RemoteState]{Output: state}, err
}

// Delete runs the delete script of the state, with everything else from the state too.
func (*Remote) Delete(ctx context.Context, req infer.DeleteRequest[RemoteState]) (infer.DeleteResponse, error) {
	return infer.DeleteResponse{}, req.State.run(ctx, "delete", req.State.Delete)
}

// run runs a script, if there is one, over a connection of its own, and keeps what it printed.
func (s *RemoteState) run(ctx context.Context, phase string, script *string) error {
	if script == nil {
		return nil
	}
	return s.Connection.with(ctx, func(client *ssh.Client) error {
		session, err := client.NewSession()
		if err != nil {
			return fmt.Errorf("open a session on %s: %w", s.Connection.Host, err)
		}
		defer session.Close()
		if err := s.setVariables(ctx, session); err != nil {
			return err
		}
		if text, ok := s.stdin(); ok {
			session.Stdin = strings.NewReader(text)
		}
		out := newOutput(s.Logging, p.GetLogger(ctx).InfoStatus)
		session.Stdout, session.Stderr = &out.stdout, &out.stderr
		err = wait(session, *script)
		result := out.result()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		if err != nil {
			return failed(phase, " on "+s.Connection.Host, err, out)
		}
		s.Result = result
		return nil
	})
}

// wait runs a script to its end. Once it is started, io.EOF comes from its input alone: it has ended
// well without reading all of it.
func wait(session *ssh.Session, script string) error {
	if err := session.Start(script); err != nil {
		return err
	}
	if err := session.Wait(); !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// setVariables asks the server to set the environment. Most servers refuse unless AcceptEnv names
// the variable; what the previous script printed is then left out with a warning.
func (s *RemoteState) setVariables(ctx context.Context, session *ssh.Session) error {
	for _, v := range s.variables(s.Result) {
		err := session.Setenv(v.name, v.value)
		if err == nil {
			continue
		}
		hint := fmt.Sprintf("the SSH server of %s does not take the environment variable %s; "+
			"name it in AcceptEnv there, or set it in the script", s.Connection.Host, v.name)
		if !v.optional {
			return fmt.Errorf("%s: %w", hint, err)
		}
		p.GetLogger(ctx).Warning(hint)
	}
	return nil
}
