package command

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/stretchr/testify/require"

	pt "private-registry/offline/providers/internal/providertest"
)

const localToken = "command:local:Command"

func TestLocalLifeCycle(t *testing.T) {
	folder := t.TempDir()
	inputs := pt.Values{
		"dir":         folder,
		"create":      `cat > file; echo "created $WORD"; echo warned >&2`,
		"update":      `echo "updated after $PULUMI_COMMAND_STDOUT and $PULUMI_COMMAND_STDERR"`,
		"delete":      `echo "$PULUMI_COMMAND_STDOUT" > deleted; rm file`,
		"environment": pt.Values{"WORD": "well"},
		"stdin":       pt.Secret("content"),
	}
	commands := pt.New(t, "command", localToken, New)
	id, state := commands.Create(inputs)
	require.Regexp(t, "^example[0-9a-f]{8}$", id)
	require.Equal(t, "created well", pt.Text(t, state, "stdout"))
	require.Equal(t, "warned", pt.Text(t, state, "stderr"))
	require.False(t, state.Get("stdout").HasSecrets())
	require.True(t, state.Get("stdin").Secret())

	state, err := commands.Update(state, inputs, false)
	require.NoError(t, err)
	require.Equal(t, "updated after created well and warned", pt.Text(t, state, "stdout"))
	require.Empty(t, pt.Text(t, state, "stderr"))
	require.NoError(t, commands.Delete(state))
	require.NoFileExists(t, filepath.Join(folder, "file"))
	deleted, err := os.ReadFile(filepath.Join(folder, "deleted"))
	require.NoError(t, err)
	require.Equal(t, "updated after created well and warned\n", string(deleted))
}

func TestLocalScripts(t *testing.T) {
	commands := pt.New(t, "command", localToken, New)
	for name, test := range map[string]struct {
		inputs pt.Values
		want   string
	}{
		"one final newline is cut":  {pt.Values{"create": `printf 'a\n\n'`}, "a\n"},
		"no newline":                {pt.Values{"create": "printf a"}, "a"},
		"no script":                 {pt.Values{}, ""},
		"another interpreter":       {pt.Values{"create": "text", "interpreter": []any{"/bin/echo", "-n"}}, "text"},
		"no interpreter is a shell": {pt.Values{"create": "echo text", "interpreter": []any{}}, "text"},
		"no input":                  {pt.Values{"create": "cat"}, ""},
		"not UTF-8":                 {pt.Values{"create": `printf '\377'`}, "\uFFFD"},
		"a line without end":        {pt.Values{"create": "head -c 200000 /dev/zero | tr '\\0' x"}, strings.Repeat("x", 200000)},
		"nothing of the past":       {pt.Values{"create": "echo ${PULUMI_COMMAND_STDOUT-unset}"}, "unset"},
	} {
		t.Run(name, func(t *testing.T) {
			_, state := commands.Create(test.inputs)
			require.Equal(t, test.want, pt.Text(t, state, "stdout"))
		})
	}
}

func TestLocalUpdates(t *testing.T) {
	commands := pt.New(t, "command", localToken, New)
	_, state := commands.Create(pt.Values{"create": "echo first"})
	for name, test := range map[string]struct {
		inputs pt.Values
		want   string
	}{
		"update":              {pt.Values{"create": "exit 1", "update": "echo second"}, "second"},
		"create for update":   {pt.Values{"create": "echo $PULUMI_COMMAND_STDOUT again"}, "first again"},
		"neither":             {pt.Values{"delete": "true"}, "first"},
		"without past output": {pt.Values{"create": "echo ${PULUMI_COMMAND_STDOUT-unset}", "addPreviousOutputInEnv": false}, "unset"},
	} {
		t.Run(name, func(t *testing.T) {
			updated, err := commands.Update(state, test.inputs, false)
			require.NoError(t, err)
			require.Equal(t, test.want, pt.Text(t, updated, "stdout"))
		})
	}
	require.NoError(t, commands.Delete(state), "without a delete script nothing happens")
}

func TestLocalFailures(t *testing.T) {
	commands := pt.New(t, "command", localToken, New)
	script := ": TOPSECRET; cat >/dev/null; echo said; echo why >&2; exit 7"
	for name, test := range map[string]struct {
		logging any
		said    bool
	}{"all": {nil, true}, "stdout": {"stdout", true}, "stderr": {"stderr", false}, "none": {"none", false}} {
		t.Run(name, func(t *testing.T) {
			id, state, err := commands.TryCreate(pt.Values{
				"create": script, "stdin": pt.Secret("TOPSECRET"), "logging": test.logging,
			})
			require.ErrorContains(t, err, "create script: exit status 7; its last output:")
			require.ErrorContains(t, err, "why")
			require.Equal(t, test.said, strings.Contains(err.Error(), "said"))
			require.NotContains(t, err.Error(), "TOPSECRET")
			require.Empty(t, id)
			require.Zero(t, state.Len(), "no partial state")
		})
	}
	_, state := commands.Create(pt.Values{"delete": "exit 1"})
	require.ErrorContains(t, commands.Delete(state), "delete script: exit status 1")
}

func TestLocalPreviewRunsNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	commands := pt.New(t, "command", localToken, New)
	preview := commands.Preview(pt.Values{"create": "touch " + file})
	require.True(t, preview.Get("stdout").IsComputed())
	require.True(t, preview.Get("stderr").IsComputed())
	_, state := commands.Create(pt.Values{"create": "true"})
	preview, err := commands.Update(state, pt.Values{"create": "touch " + file}, true)
	require.NoError(t, err)
	require.True(t, preview.Get("stdout").IsComputed())
	require.NoFileExists(t, file)
}

func TestLocalDiff(t *testing.T) {
	commands := pt.New(t, "command", localToken, New)
	inputs := pt.Values{"create": "true", "triggers": []any{"a"}, "environment": pt.Values{"A": "1"}}
	_, state := commands.Create(inputs)
	require.Empty(t, commands.Diff(state, inputs))
	for _, name := range []string{"create", "update", "delete", "stdin", "dir"} {
		changed := pt.Values{"create": "true", "triggers": []any{"a"}, "environment": pt.Values{"A": "1"}}
		changed[name] = "echo"
		kinds := commands.Diff(state, changed)
		require.Len(t, kinds, 1)
		require.Contains(t, []p.DiffKind{p.Add, p.Update}, kinds[name], name)
	}
	require.Equal(t, map[string]p.DiffKind{"triggers[0]": p.Update},
		commands.Diff(state, pt.Values{"create": "true", "triggers": []any{"b"}, "environment": pt.Values{"A": "1"}}),
		"the SDK's replaceOnChanges makes this a replacement, as with the official provider")
	require.Equal(t, map[string]p.DiffKind{"triggers": p.DeleteReplace},
		commands.Diff(state, pt.Values{"create": "true", "environment": pt.Values{"A": "1"}}))
}

func TestLocalCheck(t *testing.T) {
	commands := pt.New(t, "command", localToken, New)
	for _, name := range []string{"assetPaths", "archivePaths"} {
		_, failures := commands.CheckFailures(pt.Values{name: []any{"*"}})
		require.Len(t, failures, 1)
		require.Contains(t, failures[0], name+" of command.local.Command is not supported by the compatible provider")
	}
	_, failures := commands.CheckFailures(pt.Values{"logging": "all"})
	require.Equal(t, []string{`logging has "all", allowed: stdout, stderr, stdoutAndStderr, none`}, failures)
	commands.Check(pt.Values{"environment": pt.Values{"A": nil}})
}

func TestLocalCancelEndsTheScript(t *testing.T) {
	started := filepath.Join(t.TempDir(), "started")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for {
			if _, err := os.Stat(started); err == nil || ctx.Err() != nil {
				cancel()
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	_, _, err := pt.NewContext(ctx, t, "command", localToken, New).TryCreate(
		pt.Values{"create": "touch " + started + "; exec sleep 600"})
	require.ErrorContains(t, err, "context canceled")
}

func TestLocalTimeoutEndsTheScript(t *testing.T) {
	late := filepath.Join(t.TempDir(), "late")
	_, _, err := pt.New(t, "command", localToken, New).TryCreateWithin(5, pt.Values{
		"create": "echo said; sh -c 'sleep 60; touch " + late + "'; true",
	})
	require.ErrorContains(t, err, "create script: context deadline exceeded; its last output:\nsaid")
	require.NoFileExists(t, late, "what the script has started is not waited for")
}

func TestOutputLogsWhatLoggingAllows(t *testing.T) {
	for mode, want := range map[Logging][]string{
		logBoth: {"one", "two", "problem", "rest"}, logStdout: {"one", "two", "rest"}, logStderr: {"problem"}, logNone: nil,
	} {
		var lines []string
		out := newOutput(&mode, func(line string) { lines = append(lines, line) })
		for _, text := range []string{"on", "e\ntwo\n"} {
			out.stdout.Write([]byte(text))
		}
		out.stderr.Write([]byte("problem\n"))
		out.stdout.Write([]byte("rest"))
		result := out.result()
		require.Equal(t, want, lines, mode)
		require.Equal(t, Result{Stdout: "one\ntwo\nrest", Stderr: "problem"}, result)
	}
	var lines int
	out := newOutput(nil, func(line string) {
		lines++
		require.LessOrEqual(t, len(line), lineLimit)
	})
	out.stdout.Write([]byte(strings.Repeat("x", 3*lineLimit)))
	out.result()
	require.Equal(t, 3, lines)
	require.Len(t, out.lastLines(), tailLimit)
}
