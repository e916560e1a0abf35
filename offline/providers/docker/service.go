package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// Service is a service of the swarm that the daemon manages. Most changes update it in place, task
// by task.
type Service struct{}

// ServiceInputs are the inputs of Service.
type ServiceInputs struct {
	ConvergeConfig *ServiceConvergeConfig `pulumi:"convergeConfig,optional"`
	EndpointSpec   *ServiceEndpointSpec   `pulumi:"endpointSpec,optional"`
	Labels         []Label                `pulumi:"labels,optional"`
	Mode           *ServiceMode           `pulumi:"mode,optional" provider:"replaceOnChanges"`
	Name           *string                `pulumi:"name,optional" provider:"replaceOnChanges"`
	RollbackConfig *ServiceUpdateConfig   `pulumi:"rollbackConfig,optional"`
	TaskSpec       ServiceTaskSpec        `pulumi:"taskSpec"`
	UpdateConfig   *ServiceUpdateConfig   `pulumi:"updateConfig,optional"`
}

// ServiceState is the state of Service.
type ServiceState struct {
	ConvergeConfig *ServiceConvergeConfig `pulumi:"convergeConfig,optional"`
	EndpointSpec   ServiceEndpointSpec    `pulumi:"endpointSpec"`
	Labels         []Label                `pulumi:"labels"`
	Mode           ServiceMode            `pulumi:"mode"`
	Name           string                 `pulumi:"name"`
	RollbackConfig *ServiceUpdateConfig   `pulumi:"rollbackConfig,optional"`
	TaskSpec       ServiceTaskSpec        `pulumi:"taskSpec"`
	UpdateConfig   *ServiceUpdateConfig   `pulumi:"updateConfig,optional"`
}

var serviceFields = []field{
	{name: "convergeConfig", shape: object},
	{name: "endpointSpec.mode", computed: true},
	{name: "endpointSpec.ports", shape: servicePorts, keptWith: "endpointSpec"},
	{name: "labels", shape: set, computed: true},
	// The number of replicas changes in place; a swarm cannot turn one kind of service into the other.
	{name: "mode.global", replace: true, keptWith: "mode"},
	{name: "mode.replicated", shape: object, keptWith: "mode"},
	{name: "name", replace: true},
	{name: "rollbackConfig", shape: object},
	{name: "taskSpec.containerSpec.args", shape: list},
	{name: "taskSpec.containerSpec.capAdds", shape: list},
	{name: "taskSpec.containerSpec.capDrops", shape: list},
	{name: "taskSpec.containerSpec.commands", shape: list},
	{name: "taskSpec.containerSpec.dir"},
	{name: "taskSpec.containerSpec.dnsConfig", shape: object, computed: true},
	{name: "taskSpec.containerSpec.env", shape: mapping},
	{name: "taskSpec.containerSpec.groups", shape: list},
	{name: "taskSpec.containerSpec.healthcheck", shape: object, computed: true},
	{name: "taskSpec.containerSpec.hostname"},
	{name: "taskSpec.containerSpec.hosts", shape: set, replace: true},
	{name: "taskSpec.containerSpec.image"},
	{name: "taskSpec.containerSpec.init"},
	{name: "taskSpec.containerSpec.isolation"},
	{name: "taskSpec.containerSpec.labels", shape: set, replace: true},
	{name: "taskSpec.containerSpec.mounts", shape: set},
	{name: "taskSpec.containerSpec.privileges", shape: object},
	{name: "taskSpec.containerSpec.readOnly"},
	{name: "taskSpec.containerSpec.secrets", shape: set},
	{name: "taskSpec.containerSpec.stopGracePeriod", computed: true},
	{name: "taskSpec.containerSpec.stopSignal"},
	{name: "taskSpec.containerSpec.sysctl", shape: mapping, replace: true},
	{name: "taskSpec.containerSpec.user"},
	{name: "taskSpec.forceUpdate", computed: true},
	{name: "taskSpec.logDriver", shape: object},
	{name: "taskSpec.networksAdvanceds", shape: set, replace: true},
	{name: "taskSpec.placement.constraints", shape: set, keptWith: "taskSpec.placement"},
	{name: "taskSpec.placement.maxReplicas", keptWith: "taskSpec.placement"},
	// The daemon adds the platforms that the image has in its registry.
	{name: "taskSpec.placement.platforms", shape: set, computed: true},
	{name: "taskSpec.placement.prefs", shape: set, keptWith: "taskSpec.placement"},
	{name: "taskSpec.resources", shape: object, computed: true},
	{name: "taskSpec.restartPolicy", shape: object, computed: true},
	{name: "taskSpec.runtime", computed: true},
	{name: "updateConfig", shape: object},
}

// Annotate gives the resource its official token.
func (r *Service) Annotate(a infer.Annotator) {
	a.SetToken("index/service", "Service")
	a.Describe(&r, "A service of a Docker swarm. Most changes update it in place, task by task.")
}

// WireDependencies keeps the name known in the preview of an update.
func (*Service) WireDependencies(f infer.FieldSelector, in *ServiceInputs, out *ServiceState) {
	f.OutputField(out).DependsOn(f.InputField(&in.Name).Computed())
}

// Create makes the service and, with convergeConfig, waits for its tasks. A service whose tasks do
// not come up in that time is removed again, as the official provider does.
func (*Service) Create(
	ctx context.Context, req infer.CreateRequest[ServiceInputs],
) (infer.CreateResponse[ServiceState], error) {
	in := req.Inputs
	planned := withServiceInputs(ServiceState{}, in)
	if req.DryRun {
		return infer.CreateResponse[ServiceState]{Output: planned}, nil
	}
	e := engineOf(ctx)
	ctx, cancel := withOperationTimeout(ctx)
	defer cancel()

	name := deref(in.Name)
	spec, err := serviceSpec(in)
	if err != nil {
		return infer.CreateResponse[ServiceState]{}, err
	}
	made, err := untilAnswered(ctx, func(ctx context.Context) (swarm.ServiceCreateResponse, error) {
		return e.ServiceCreate(ctx, spec, swarm.ServiceCreateOptions{
			EncodedRegistryAuth: registryAuth(in.TaskSpec.ContainerSpec.Image), QueryRegistry: true,
		})
	})
	if err != nil {
		return infer.CreateResponse[ServiceState]{}, e.explain("cannot create service "+name, err)
	}
	warn(ctx, made.Warnings)
	if err := e.converge(ctx, made.ID, planned); err != nil {
		if ctx.Err() == nil {
			if removal := e.removeService(ctx, made.ID, planned); removal == nil {
				return infer.CreateResponse[ServiceState]{}, fmt.Errorf("%w. The service was removed again", err)
			}
		}
		return infer.CreateResponse[ServiceState]{ID: made.ID, Output: planned},
			infer.ResourceInitFailedError{Reasons: []string{err.Error()}}
	}
	state, found, err := e.readService(ctx, made.ID, planned)
	if err == nil && !found {
		err = fmt.Errorf("service %s was created, and somebody has removed it", name)
	}
	if err != nil {
		return infer.CreateResponse[ServiceState]{ID: made.ID, Output: planned},
			infer.ResourceInitFailedError{Reasons: []string{err.Error()}}
	}
	return infer.CreateResponse[ServiceState]{ID: made.ID, Output: state}, nil
}

// Read takes what the daemon says; a service that is gone leaves the state.
func (*Service) Read(
	ctx context.Context, req infer.ReadRequest[ServiceInputs, ServiceState],
) (infer.ReadResponse[ServiceInputs, ServiceState], error) {
	state, found, err := engineOf(ctx).readService(ctx, req.ID, req.State)
	if err != nil || !found {
		return infer.ReadResponse[ServiceInputs, ServiceState]{}, err
	}
	in := req.Inputs
	if in.Name == nil { // an import has no inputs yet
		in = state.asInputs()
	}
	return infer.ReadResponse[ServiceInputs, ServiceState]{ID: req.ID, Inputs: in, State: state}, nil
}

// Update hands the swarm the new specification. What the daemon has chosen and the program leaves
// open stays. An update that the swarm gives up is an error; the state is what the swarm has then.
func (*Service) Update(
	ctx context.Context, req infer.UpdateRequest[ServiceInputs, ServiceState],
) (infer.UpdateResponse[ServiceState], error) {
	in := withKept(req.Inputs, req.State)
	planned := withServiceInputs(req.State, in)
	if req.DryRun {
		return infer.UpdateResponse[ServiceState]{Output: planned}, nil
	}
	e := engineOf(ctx)
	ctx, cancel := withOperationTimeout(ctx)
	defer cancel()

	if err := e.updateService(ctx, req.ID, in, req.State); err != nil {
		return infer.UpdateResponse[ServiceState]{}, err
	}
	failed := e.converge(ctx, req.ID, planned)
	reading, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer stop()
	state, found, err := e.readService(reading, req.ID, planned)
	if err != nil || !found {
		state = planned
	}
	if err := errors.Join(failed, err); err != nil {
		return infer.UpdateResponse[ServiceState]{Output: state},
			infer.ResourceInitFailedError{Reasons: []string{err.Error()}}
	}
	return infer.UpdateResponse[ServiceState]{Output: state}, nil
}

// Delete removes the service and waits until its tasks are gone; one that is gone already is no error.
func (*Service) Delete(ctx context.Context, req infer.DeleteRequest[ServiceState]) (infer.DeleteResponse, error) {
	ctx, cancel := withOperationTimeout(ctx)
	defer cancel()
	return infer.DeleteResponse{}, engineOf(ctx).removeService(ctx, req.ID, req.State)
}

func (e *engine) readService(
	ctx context.Context, id string, before ServiceState,
) (state ServiceState, found bool, err error) {
	live, _, err := e.ServiceInspectWithRaw(ctx, id, swarm.ServiceInspectOptions{})
	if isGone(err) {
		return before, false, nil
	}
	if err != nil {
		return before, false, e.explain("cannot read service "+orID(before.Name, id), err)
	}
	return serviceState(before, live), true, nil
}

// updateService sends the whole specification, based on the version that is there now. An image
// that is still the same keeps the digest that it has been given, so that no task restarts for it.
func (e *engine) updateService(ctx context.Context, id string, in ServiceInputs, before ServiceState) error {
	what := "cannot update service " + orID(before.Name, id)
	spec, err := serviceSpec(in)
	if err != nil {
		return err
	}
	outOfSequence := func(err error) bool { return strings.Contains(err.Error(), "update out of sequence") }
	err = retryWhile(ctx, updateRetryTimeout, outOfSequence, func() error {
		live, _, err := e.ServiceInspectWithRaw(ctx, id, swarm.ServiceInspectOptions{})
		if err != nil {
			return err
		}
		image := in.TaskSpec.ContainerSpec.Image
		if c := live.Spec.TaskTemplate.ContainerSpec; c != nil && sameImage(image, c.Image) == image {
			spec.TaskTemplate.ContainerSpec.Image = c.Image
		}
		made, err := e.ServiceUpdate(ctx, id, live.Version, spec, swarm.ServiceUpdateOptions{
			EncodedRegistryAuth: registryAuth(image),
		})
		warn(ctx, made.Warnings)
		return err
	})
	if err != nil {
		return e.explain(what, err)
	}
	return nil
}

// updateRetryTimeout is how long an update goes on while somebody else changes the service too.
const updateRetryTimeout = 10 * time.Second

// removeService waits until no task is left, so that networks and volumes are free then.
func (e *engine) removeService(ctx context.Context, id string, s ServiceState) error {
	what := "cannot remove service " + orID(s.Name, id)
	tasks, err := e.TaskList(ctx, swarm.TaskListOptions{Filters: filters.NewArgs(filters.Arg("service", id))})
	if err != nil && !isGone(err) {
		return e.explain(what, err)
	}
	if err := e.ServiceRemove(ctx, id); err != nil && !isGone(err) {
		return e.explain(what, err)
	}
	// A node that is down never reports the end of its tasks, so the wait has one itself.
	deadline := time.Now().Add(durationOf(s.TaskSpec.ContainerSpec.StopGracePeriod) + inUseTimeout)
	for _, task := range tasks {
		for time.Now().Before(deadline) && !e.isTaskGone(ctx, task) {
			if err := pause(ctx, taskPollInterval); err != nil {
				return e.explain("waiting for the tasks of service "+orID(s.Name, id)+" to end", err)
			}
		}
	}
	return nil
}

// isTaskGone says whether a task and its container are. The container follows the task after a
// moment; one on another node looks gone from here.
func (e *engine) isTaskGone(ctx context.Context, task swarm.Task) bool {
	if _, _, err := e.TaskInspectWithRaw(ctx, task.ID); !isGone(err) {
		return false
	}
	if task.Status.ContainerStatus == nil || task.Status.ContainerStatus.ContainerID == "" {
		return true
	}
	_, err := e.ContainerInspect(ctx, task.Status.ContainerStatus.ContainerID)
	return isGone(err)
}

const taskPollInterval = 250 * time.Millisecond

func warn(ctx context.Context, warnings []string) {
	for _, w := range warnings {
		p.GetLogger(ctx).Debug(w)
	}
}

func orID(name, id string) string {
	if name == "" {
		return id
	}
	return name
}

// withServiceInputs is the state that the inputs ask for.
func withServiceInputs(s ServiceState, in ServiceInputs) ServiceState {
	s.ConvergeConfig, s.TaskSpec = in.ConvergeConfig, in.TaskSpec
	s.UpdateConfig, s.RollbackConfig = in.UpdateConfig, in.RollbackConfig
	overlay(&s.EndpointSpec, in.EndpointSpec)
	overlay(&s.Mode, in.Mode)
	overlay(&s.Name, in.Name)
	overlayList(&s.Labels, in.Labels)
	return completeService(s)
}

// withKept fills in what the program leaves open with what there is: the other side of keptWith and
// computed in the fields.
func withKept(in ServiceInputs, s ServiceState) ServiceInputs {
	if in.Mode == nil {
		in.Mode = &s.Mode
	}
	if len(in.Labels) == 0 {
		in.Labels = s.Labels
	}
	switch {
	case in.EndpointSpec == nil:
		in.EndpointSpec = &s.EndpointSpec
	case deref(in.EndpointSpec.Mode) == "":
		in.EndpointSpec = &ServiceEndpointSpec{Mode: s.EndpointSpec.Mode, Ports: in.EndpointSpec.Ports}
	}
	t, was := &in.TaskSpec, s.TaskSpec
	if was.Placement != nil && t.ContainerSpec.Image != was.ContainerSpec.Image {
		placement := *was.Placement // the platforms are those of the image before
		placement.Platforms = nil
		was.Placement = &placement
	}
	keep(&t.ForceUpdate, was.ForceUpdate)
	keep(&t.Runtime, was.Runtime)
	keep(&t.Resources, was.Resources)
	keep(&t.RestartPolicy, was.RestartPolicy)
	if t.Placement != nil && was.Placement != nil && len(t.Placement.Platforms) == 0 {
		placement := *t.Placement
		placement.Platforms = was.Placement.Platforms
		t.Placement = &placement
	}
	keep(&t.Placement, was.Placement)
	c, container := &t.ContainerSpec, was.ContainerSpec
	keep(&c.StopGracePeriod, container.StopGracePeriod)
	keep(&c.Healthcheck, container.Healthcheck)
	keep(&c.DNSConfig, container.DNSConfig)
	return in
}

func keep[T any](to **T, was *T) {
	if *to == nil {
		*to = was
	}
}

// asInputs is what an import takes as inputs.
func (s ServiceState) asInputs() ServiceInputs {
	return ServiceInputs{
		EndpointSpec: &s.EndpointSpec, Labels: s.Labels, Mode: &s.Mode, Name: &s.Name,
		RollbackConfig: s.RollbackConfig, TaskSpec: s.TaskSpec, UpdateConfig: s.UpdateConfig,
	}
}
