package docker

import (
	"context"
	"encoding/base64"
	"fmt"

	"github.com/docker/docker/api/types/swarm"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// ServiceConfig is a config of the swarm: a file that services can mount. No input of it can be
// changed in place.
type ServiceConfig struct{}

// ServiceConfigInputs are the inputs of ServiceConfig.
type ServiceConfigInputs struct {
	Data    *string `pulumi:"data,optional" provider:"replaceOnChanges"`
	DataRaw *string `pulumi:"dataRaw,optional" provider:"replaceOnChanges"`
	Labels  []Label `pulumi:"labels,optional" provider:"replaceOnChanges"`
	Name    *string `pulumi:"name,optional" provider:"replaceOnChanges"`
}

// ServiceConfigState is the state of ServiceConfig.
type ServiceConfigState struct {
	Data    *string `pulumi:"data,optional"`
	DataRaw *string `pulumi:"dataRaw,optional"`
	Labels  []Label `pulumi:"labels,optional"`
	Name    string  `pulumi:"name"`
}

var serviceConfigFields = []field{
	{name: "data", replace: true},
	{name: "dataRaw", replace: true},
	{name: "labels", shape: set, replace: true},
	{name: "name", replace: true},
}

// Annotate gives the resource its official token.
func (r *ServiceConfig) Annotate(a infer.Annotator) {
	a.SetToken("index/serviceConfig", "ServiceConfig")
	a.Describe(&r, "A config of a Docker swarm. As for a secret, its name has to change with its data.")
}

// Check wants the content once, and in base64 where it says so.
func (*ServiceConfig) Check(
	ctx context.Context, req infer.CheckRequest,
) (infer.CheckResponse[ServiceConfigInputs], error) {
	in, failures, err := infer.DefaultCheck[ServiceConfigInputs](ctx, req.NewInputs)
	if err != nil || len(failures) > 0 {
		return infer.CheckResponse[ServiceConfigInputs]{Inputs: in, Failures: failures}, err
	}
	var c checker
	if given := boolToInt(in.Data != nil) + boolToInt(in.DataRaw != nil); given != 1 {
		c.add("data", "give exactly one of data and dataRaw")
	}
	c.encoded("data", deref(in.Data))
	return infer.CheckResponse[ServiceConfigInputs]{Inputs: in, Failures: c}, nil
}

// Create makes the config.
func (*ServiceConfig) Create(
	ctx context.Context, req infer.CreateRequest[ServiceConfigInputs],
) (infer.CreateResponse[ServiceConfigState], error) {
	in := req.Inputs
	state := ServiceConfigState{Data: in.Data, DataRaw: in.DataRaw, Labels: in.Labels, Name: deref(in.Name)}
	if req.DryRun {
		return infer.CreateResponse[ServiceConfigState]{Output: state}, nil
	}
	e := engineOf(ctx)
	data := []byte(deref(in.DataRaw))
	if in.Data != nil {
		var err error
		if data, err = base64.StdEncoding.DecodeString(*in.Data); err != nil {
			return infer.CreateResponse[ServiceConfigState]{}, errNotBase64("config " + state.Name)
		}
	}
	made, err := e.ConfigCreate(ctx, swarm.ConfigSpec{
		Annotations: swarm.Annotations{Name: state.Name, Labels: labelMap(in.Labels)}, Data: data,
	})
	if err != nil {
		return infer.CreateResponse[ServiceConfigState]{}, e.explain("cannot create config "+state.Name, err)
	}
	return infer.CreateResponse[ServiceConfigState]{ID: made.ID, Output: state}, nil
}

// Read takes what the daemon says, in the form that the content has in the state; a config that is
// gone leaves the state.
func (*ServiceConfig) Read(
	ctx context.Context, req infer.ReadRequest[ServiceConfigInputs, ServiceConfigState],
) (infer.ReadResponse[ServiceConfigInputs, ServiceConfigState], error) {
	var gone infer.ReadResponse[ServiceConfigInputs, ServiceConfigState]
	e := engineOf(ctx)
	found, _, err := e.ConfigInspectWithRaw(ctx, req.ID)
	if isGone(err) {
		return gone, nil
	}
	if err != nil {
		return gone, e.explain("cannot read config "+orID(req.State.Name, req.ID), err)
	}
	state := ServiceConfigState{Labels: labelList(found.Spec.Labels), Name: found.Spec.Name}
	if raw := string(found.Spec.Data); req.State.DataRaw != nil {
		state.DataRaw = &raw
	} else {
		encoded := base64.StdEncoding.EncodeToString(found.Spec.Data)
		state.Data = &encoded
	}
	in := req.Inputs
	if in.Name == nil { // an import has no inputs yet
		in = ServiceConfigInputs{Data: state.Data, DataRaw: state.DataRaw, Labels: state.Labels, Name: &state.Name}
	}
	return infer.ReadResponse[ServiceConfigInputs, ServiceConfigState]{ID: found.ID, Inputs: in, State: state}, nil
}

// Delete removes the config.
func (*ServiceConfig) Delete(
	ctx context.Context, req infer.DeleteRequest[ServiceConfigState],
) (infer.DeleteResponse, error) {
	e := engineOf(ctx)
	if err := e.ConfigRemove(ctx, req.ID); err != nil && !isGone(err) {
		return infer.DeleteResponse{}, e.explain("cannot remove config "+orID(req.State.Name, req.ID), err)
	}
	return infer.DeleteResponse{}, nil
}

func errNotBase64(what string) error {
	return fmt.Errorf("cannot create %s: its data is not base64", what)
}
