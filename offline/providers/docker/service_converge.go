package docker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
)

// Tasks count as running only when they have done so for a while, as with `docker service create`:
// for the time that an update is monitored, and at least long enough for the swarm to begin one.
const (
	defaultMonitor   = 5 * time.Second
	shortestMonitor  = 2 * time.Second
	stabilityPolling = 500 * time.Millisecond
)

// converge waits, if the program wants that, until as many tasks as there are replicas keep running.
// A task with a health check runs only when that has passed.
func (e *engine) converge(ctx context.Context, id string, s ServiceState) error {
	if s.ConvergeConfig == nil {
		return nil
	}
	started := time.Now()
	delay, limit := durationOf(s.ConvergeConfig.Delay), durationOf(s.ConvergeConfig.Timeout)
	var stable stability
	for {
		wait := min(delay, limit-time.Since(started))
		if stable.tasks != "" {
			wait = min(wait, stabilityPolling)
		}
		if err := pause(ctx, max(wait, taskPollInterval)); err != nil {
			return e.explain("waiting for the tasks of service "+s.Name, err)
		}
		view, err := e.lookAtService(ctx, id)
		if err != nil {
			return e.explain("cannot read the tasks of service "+s.Name, err)
		}
		if err := view.givenUp(); err != nil {
			return err
		}
		if view.updated() || stable.since(view.runningTasks()) >= view.monitor() {
			return nil
		}
		if time.Since(started) >= limit {
			return fmt.Errorf("service %s did not converge after %s: %s%s; see "+
				"`docker service ps --no-trunc %s` and `docker service logs %s`, or raise convergeConfig.timeout",
				s.Name, limit, view.progress(), view.lastError(), s.Name, s.Name)
		}
	}
}

// stability is which tasks have been running, and from when on.
type stability struct {
	tasks string
	from  time.Time
}

// since is how long exactly these tasks have been running; no tasks text means that they are not.
func (s *stability) since(tasks string) time.Duration {
	if tasks == "" || tasks != s.tasks {
		*s = stability{tasks: tasks, from: time.Now()}
		return 0
	}
	return time.Since(s.from)
}

// serviceView is a service with its tasks and the nodes that are up.
type serviceView struct {
	service swarm.Service
	tasks   []swarm.Task
	up      map[string]bool
}

func (e *engine) lookAtService(ctx context.Context, id string) (serviceView, error) {
	view := serviceView{up: map[string]bool{}}
	var err error
	if view.service, _, err = e.ServiceInspectWithRaw(ctx, id, swarm.ServiceInspectOptions{}); err != nil {
		return view, err
	}
	view.tasks, err = e.TaskList(ctx, swarm.TaskListOptions{Filters: filters.NewArgs(filters.Arg("service", id))})
	if err != nil {
		return view, err
	}
	nodes, err := e.NodeList(ctx, swarm.NodeListOptions{})
	for _, node := range nodes {
		view.up[node.ID] = node.Status.State != swarm.NodeStateDown
	}
	return view, err
}

// wanted is the number of replicas.
func (v serviceView) wanted() int {
	if r := v.service.Spec.Mode.Replicated; r != nil {
		return int(deref(r.Replicas))
	}
	return 0
}

// slots says of each slot that is to run whether all of its tasks do. While a task takes over from
// another one, first or last, a slot has both.
func (v serviceView) slots() map[int]bool {
	slots := map[int]bool{}
	for _, task := range v.tasks {
		if task.DesiredState != swarm.TaskStateRunning || (task.NodeID != "" && !v.up[task.NodeID]) {
			continue
		}
		before, seen := slots[task.Slot]
		slots[task.Slot] = (before || !seen) && task.Status.State == swarm.TaskStateRunning
	}
	return slots
}

func (v serviceView) running() int {
	count := 0
	for _, runs := range v.slots() {
		count += boolToInt(runs)
	}
	return count
}

func (v serviceView) progress() string {
	if v.running() == v.wanted() {
		return "its tasks do not keep running"
	}
	return fmt.Sprintf("%d of %d tasks run", v.running(), v.wanted())
}

// runningTasks names the tasks that run when these are as many as there are to be, and no update is
// on its way; else it is empty.
func (v serviceView) runningTasks() string {
	if v.service.UpdateStatus != nil || v.running() != v.wanted() || len(v.slots()) != v.wanted() {
		return ""
	}
	names := []string{"tasks"}
	for _, task := range v.tasks {
		if task.DesiredState == swarm.TaskStateRunning {
			names = append(names, task.ID)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// updated says that the swarm has replaced all tasks, and has monitored them itself.
func (v serviceView) updated() bool {
	status := v.service.UpdateStatus
	return status != nil && status.State == swarm.UpdateStateCompleted && v.running() == v.wanted()
}

func (v serviceView) monitor() time.Duration {
	monitor := defaultMonitor
	if c := v.service.Spec.UpdateConfig; c != nil {
		monitor = c.Monitor
	}
	return max(monitor, shortestMonitor)
}

// givenUp is an error when the swarm itself has stopped updating.
func (v serviceView) givenUp() error {
	status, name := v.service.UpdateStatus, v.service.Spec.Name
	if status == nil {
		return nil
	}
	// The first words of each are those of the official provider.
	end := fmt.Sprintf("%s%s; see `docker service ps --no-trunc %s`", status.Message, v.lastError(), name)
	switch status.State {
	case swarm.UpdateStatePaused:
		return fmt.Errorf("service update paused: service %s is half updated: %s, put the cause right and run up again", name, end)
	case swarm.UpdateStateRollbackCompleted:
		return fmt.Errorf("service rollback completed: service %s is as it was before its update: %s", name, end)
	case swarm.UpdateStateRollbackPaused:
		return fmt.Errorf("service rollback paused: neither update nor rollback of service %s worked: %s", name, end)
	default:
		return nil
	}
}

// lastError is what the task that failed last says, ready to be appended.
func (v serviceView) lastError() string {
	var last swarm.Task
	for _, task := range v.tasks {
		if task.Status.Err != "" && (last.ID == "" || task.Status.Timestamp.After(last.Status.Timestamp)) {
			last = task
		}
	}
	if last.ID == "" {
		return ""
	}
	return fmt.Sprintf("; task %s.%d is %s: %s", v.service.Spec.Name, last.Slot, last.Status.State, last.Status.Err)
}
