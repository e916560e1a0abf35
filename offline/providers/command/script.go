package command

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"private-registry/offline/providers/internal/plan"
)

// ScriptArgs are the inputs that local and remote commands have in common.
type ScriptArgs struct {
	AddPreviousOutputInEnv *bool             `pulumi:"addPreviousOutputInEnv,optional"`
	Create                 *string           `pulumi:"create,optional"`
	Delete                 *string           `pulumi:"delete,optional"`
	Environment            map[string]string `pulumi:"environment,optional"`
	Logging                *Logging          `pulumi:"logging,optional"`
	Stdin                  *string           `pulumi:"stdin,optional"`
	Triggers               []any             `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Update                 *string           `pulumi:"update,optional"`
}

// Result is what the last script printed. As with the official provider it is not secret.
type Result struct {
	Stderr string `pulumi:"stderr"`
	Stdout string `pulumi:"stdout"`
}

var scriptInputs = []plan.Input{
	{Name: "addPreviousOutputInEnv"}, {Name: "create"}, {Name: "delete"}, {Name: "environment"},
	{Name: "logging"}, {Name: "stdin"}, {Name: "triggers", Replace: true}, {Name: "update"},
}

// onUpdate is the script that an update runs: update if there is one, else create, which must then
// bear being run again.
func (a ScriptArgs) onUpdate() (phase string, script *string) {
	if a.Update != nil {
		return "update", a.Update
	}
	return "create", a.Create
}

// stdin is the text for the script's standard input, if any.
func (a ScriptArgs) stdin() (string, bool) {
	if a.Stdin == nil || *a.Stdin == "" {
		return "", false
	}
	return *a.Stdin, true
}

// variable is one environment variable of a script.
type variable struct {
	name, value string
	// optional says that the script runs without it where the other side does not take it.
	optional bool
}

// variables are those given, by name, then what the previous script printed.
func (a ScriptArgs) variables(previous Result) []variable {
	var all []variable
	for name, value := range a.Environment {
		all = append(all, variable{name: name, value: value})
	}
	slices.SortFunc(all, func(a, b variable) int {
		if a.name < b.name {
			return -1
		}
		return 1
	})
	if a.AddPreviousOutputInEnv != nil && !*a.AddPreviousOutputInEnv {
		return all
	}
	if previous.Stdout != "" {
		all = append(all, variable{"PULUMI_COMMAND_STDOUT", previous.Stdout, true})
	}
	if previous.Stderr != "" {
		all = append(all, variable{"PULUMI_COMMAND_STDERR", previous.Stderr, true})
	}
	return all
}

// newID is the resource's name with 8 random hex digits, as the official provider makes it.
func newID(name string) (string, error) { return resource.NewUniqueHex(name, 8, 0) }

// failed says which script failed and how. It never quotes the script nor its input: the official
// provider does, and so shows the secrets in them.
func failed(phase, where string, err error, out *output) error {
	if tail := out.lastLines(); tail != "" {
		return fmt.Errorf("%s script%s: %w; its last output:\n%s", phase, where, err, tail)
	}
	return fmt.Errorf("%s script%s: %w", phase, where, err)
}

// Logging says which of a script's streams are shown while it runs.
type Logging string

const (
	logStdout = "stdout"
	logStderr = "stderr"
	logBoth   = "stdoutAndStderr"
	logNone   = "none"
)

// Values lists what the schema allows.
func (Logging) Values() []infer.EnumValue[Logging] {
	return []infer.EnumValue[Logging]{
		{Name: logStdout, Value: logStdout, Description: "Show stdout only."},
		{Name: logStderr, Value: logStderr, Description: "Show stderr only."},
		{Name: logBoth, Value: logBoth, Description: "Show stdout and stderr, as without a value."},
		{Name: logNone, Value: logNone, Description: "Show neither."},
	}
}

func (l *Logging) stdout() bool { return l == nil || *l == logStdout || *l == logBoth }
func (l *Logging) stderr() bool { return l == nil || *l == logStderr || *l == logBoth }
