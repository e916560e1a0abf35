package docker

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
)

// settleTime is how long the swarm is given to notice that an update changes tasks.
const settleTime = 7 * time.Second

// converge waits, if the program wants that, until as many tasks as there are replicas run what the
// service asks for. A task with a health check runs only when that has passed.
func (e *engine) converge(ctx context.Context, id string, s ServiceState) error {
	if s.ConvergeConfig == nil {
		return nil
	}
	started := time.Now()
	delay, limit := durationOf(s.ConvergeConfig.Delay), durationOf(s.ConvergeConfig.Timeout)
	for {
		wait := max(min(delay, limit-time.Since(started)), taskPollInterval)
		if err := pause(ctx, wait); err != nil {
			return e.explain("waiting for the tasks of service "+s.Name, err)
		}
		view, err := e.lookAtService(ctx, id)
		if err != nil {
			return e.explain("cannot read the tasks of service "+s.Name, err)
		}
		if err := view.givenUp(); err != nil {
			return err
		}
		if view.converged(time.Since(started) >= settleTime) {
			return nil
		}
		if time.Since(started) >= limit {
			return fmt.Errorf("service %s did not converge after %s: %d of %d tasks run%s; see "+
				"`docker service ps --no-trunc %s` and `docker service logs %s`, or raise convergeConfig.timeout",
				s.Name, limit, view.running(), view.wanted(), view.lastError(), s.Name, s.Name)
		}
	}
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

// converged wants every slot to run, and what runs to be what the service asks for now. A change
// that no task needs to restart for shows in none of them, so that after a while they count as new.
func (v serviceView) converged(settled bool) bool {
	if v.running() != v.wanted() || len(v.slots()) != v.wanted() {
		return false
	}
	if status := v.service.UpdateStatus; status != nil {
		return status.State == swarm.UpdateStateCompleted
	}
	if settled {
		return true
	}
	for _, task := range v.tasks {
		isOld := task.DesiredState == swarm.TaskStateRunning && !reflect.DeepEqual(task.Spec, v.service.Spec.TaskTemplate)
		if isOld {
			return false
		}
	}
	return true
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
