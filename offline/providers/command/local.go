package command

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"

	"private-registry/offline/providers/internal/plan"
)

// Local is command.local.Command: scripts on this machine.
type Local struct{}

// LocalArgs are the inputs.
type LocalArgs struct {
	ScriptArgs
	Dir         *string  `pulumi:"dir,optional"`
	Interpreter []string `pulumi:"interpreter,optional"`
}

// LocalState is what the state holds.
type LocalState struct {
	LocalArgs
	Result
}

// localInputs leaves out assetPaths and archivePaths, which the project does not use.
var localInputs = append([]plan.Input{{Name: "dir"}, {Name: "interpreter"}}, scriptInputs...)

// Annotate gives the official token.
func (l *Local) Annotate(a infer.Annotator) { a.SetToken("local", "Command") }

// Create runs the create script. When it fails nothing is kept, so the next `up` runs it again.
func (*Local) Create(ctx context.Context, req infer.CreateRequest[LocalArgs]) (
	infer.CreateResponse[LocalState], error,
) {
	state := LocalState{LocalArgs: req.Inputs}
	id, err := newID(req.Name)
	if err == nil && !req.DryRun {
		err = state.run(ctx, "create", req.Inputs.Create)
	}
	if err != nil {
		return infer.CreateResponse[LocalState]{}, err
	}
	return infer.CreateResponse[LocalState]{ID: id, Output: state}, nil
}

// Update runs the update script, else the create script. When it fails the old state is kept.
func (*Local) Update(ctx context.Context, req infer.UpdateRequest[LocalArgs, LocalState]) (
	infer.UpdateResponse[LocalState], error,
) {
	state := LocalState{LocalArgs: req.Inputs, Result: req.State.Result}
	if req.DryRun {
		return infer.UpdateResponse[LocalState]{Output: state}, nil
	}
	phase, script := state.onUpdate()
	err := state.run(ctx, phase, script)
	return infer.UpdateResponse[LocalState]{Output: state}, err
}

// Delete runs the delete script of the state, with everything else from the state too.
func (*Local) Delete(ctx context.Context, req infer.DeleteRequest[LocalState]) (infer.DeleteResponse, error) {
	return infer.DeleteResponse{}, req.State.run(ctx, "delete", req.State.Delete)
}

// run runs a script, if there is one, and keeps what it printed.
func (s *LocalState) run(ctx context.Context, phase string, script *string) error {
	if script == nil {
		return nil
	}
	arguments := s.Interpreter
	if len(arguments) == 0 {
		arguments = []string{"/bin/sh", "-c"}
	}
	arguments = append(arguments[:len(arguments):len(arguments)], *script)
	command := exec.CommandContext(ctx, arguments[0], arguments[1:]...)
	if s.Dir != nil {
		command.Dir = *s.Dir
	}
	command.Env = os.Environ()
	for _, v := range s.variables(s.Result) {
		command.Env = append(command.Env, v.name+"="+v.value)
	}
	if text, ok := s.stdin(); ok {
		command.Stdin = strings.NewReader(text)
	}
	out := newOutput(s.Logging, p.GetLogger(ctx).InfoStatus)
	command.Stdout, command.Stderr = &out.stdout, &out.stderr
	err := runUntil(ctx, command)
	result := out.result()
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return failed(phase, "", err, out)
	}
	s.Result = result
	return nil
}

// runUntil runs a command to its end, and after that of the context waits no longer for what the command has started, which
// lives on and holds its output open.
func runUntil(ctx context.Context, command *exec.Cmd) error {
	ended := make(chan error, 1)
	go func() { ended <- command.Run() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(time.Second):
		return ctx.Err()
	}
}
