package docker

import (
	"context"
	"strings"
	"time"

	"github.com/docker/docker/api/types/volume"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// inUseTimeout is how long a delete waits for containers to let go of a volume or network.
const inUseTimeout = 30 * time.Second

// Volume is a named volume. It holds data: replacing or deleting it deletes them.
type Volume struct{}

// VolumeInputs are the inputs of Volume.
type VolumeInputs struct {
	Name       *string           `pulumi:"name,optional" provider:"replaceOnChanges"`
	Driver     *string           `pulumi:"driver,optional" provider:"replaceOnChanges"`
	DriverOpts map[string]string `pulumi:"driverOpts,optional" provider:"replaceOnChanges"`
	Labels     []Label           `pulumi:"labels,optional" provider:"replaceOnChanges"`
}

// VolumeState is the state of Volume.
type VolumeState struct {
	Name       string            `pulumi:"name"`
	Driver     string            `pulumi:"driver"`
	DriverOpts map[string]string `pulumi:"driverOpts,optional"`
	Labels     []Label           `pulumi:"labels,optional"`
	Mountpoint string            `pulumi:"mountpoint"`
}

var volumeFields = []field{
	{name: "name", replace: true},
	{name: "driver", replace: true, computed: true},
	{name: "driverOpts", shape: mapping, replace: true},
	{name: "labels", shape: set, replace: true},
}

// Annotate gives the resource its official token.
func (r *Volume) Annotate(a infer.Annotator) {
	a.SetToken("index/volume", "Volume")
	a.Describe(&r, "A named volume. Replacing or deleting it deletes the data in it.")
}

// Create makes the volume, or adopts the one of that name with the labels that it has.
func (*Volume) Create(
	ctx context.Context, req infer.CreateRequest[VolumeInputs],
) (infer.CreateResponse[VolumeState], error) {
	in := req.Inputs
	if req.DryRun {
		return infer.CreateResponse[VolumeState]{Output: VolumeState{
			Name: deref(in.Name), Driver: deref(in.Driver), DriverOpts: in.DriverOpts, Labels: in.Labels,
		}}, nil
	}
	e := engineOf(ctx)
	made, err := untilAnswered(ctx, func(ctx context.Context) (volume.Volume, error) {
		return e.VolumeCreate(ctx, volume.CreateOptions{
			Name: deref(in.Name), Driver: deref(in.Driver), DriverOpts: in.DriverOpts, Labels: labelMap(in.Labels),
		})
	})
	if err != nil {
		return infer.CreateResponse[VolumeState]{}, e.explain("cannot create volume "+deref(in.Name), err)
	}
	return infer.CreateResponse[VolumeState]{ID: made.Name, Output: volumeState(made)}, nil
}

// Read takes what the daemon says, real labels included; a volume that is gone leaves the state.
func (*Volume) Read(
	ctx context.Context, req infer.ReadRequest[VolumeInputs, VolumeState],
) (infer.ReadResponse[VolumeInputs, VolumeState], error) {
	var gone infer.ReadResponse[VolumeInputs, VolumeState]
	e := engineOf(ctx)
	found, err := e.VolumeInspect(ctx, req.ID)
	if isGone(err) {
		return gone, nil
	}
	if err != nil {
		return gone, e.explain("cannot read volume "+req.ID, err)
	}
	state := volumeState(found)
	in := req.Inputs
	if in.Name == nil { // an import has no inputs yet
		in = VolumeInputs{
			Name: &state.Name, Driver: &state.Driver, DriverOpts: state.DriverOpts, Labels: state.Labels,
		}
	}
	return infer.ReadResponse[VolumeInputs, VolumeState]{ID: found.Name, Inputs: in, State: state}, nil
}

// Delete removes the volume and its data, and waits a while for containers that still use it.
func (*Volume) Delete(ctx context.Context, req infer.DeleteRequest[VolumeState]) (infer.DeleteResponse, error) {
	e := engineOf(ctx)
	inUse := func(err error) bool { return strings.Contains(err.Error(), "volume is in use") }
	err := retryWhile(ctx, inUseTimeout, inUse, func() error { return e.VolumeRemove(ctx, req.ID, true) })
	if err != nil && !isGone(err) {
		return infer.DeleteResponse{}, e.explain("cannot remove volume "+req.ID, err)
	}
	return infer.DeleteResponse{}, nil
}

func volumeState(v volume.Volume) VolumeState {
	return VolumeState{
		Name: v.Name, Driver: v.Driver, Mountpoint: v.Mountpoint,
		DriverOpts: nonEmptyMap(v.Options), Labels: labelList(v.Labels),
	}
}
