package docker

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/docker/docker/api/types/network"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// Network is a user-defined network. No input of it can be changed in place.
type Network struct{}

// NetworkShared are the properties that are optional as inputs and as outputs.
type NetworkShared struct {
	Attachable  *bool             `pulumi:"attachable,optional" provider:"replaceOnChanges"`
	Ingress     *bool             `pulumi:"ingress,optional" provider:"replaceOnChanges"`
	IpamDriver  *string           `pulumi:"ipamDriver,optional" provider:"replaceOnChanges"`
	IpamOptions map[string]string `pulumi:"ipamOptions,optional" provider:"replaceOnChanges"`
	Ipv6        *bool             `pulumi:"ipv6,optional" provider:"replaceOnChanges"`
	Labels      []Label           `pulumi:"labels,optional" provider:"replaceOnChanges"`
}

// NetworkInputs are the inputs of Network.
type NetworkInputs struct {
	NetworkShared
	Driver      *string             `pulumi:"driver,optional" provider:"replaceOnChanges"`
	Internal    *bool               `pulumi:"internal,optional" provider:"replaceOnChanges"`
	IpamConfigs []NetworkIpamConfig `pulumi:"ipamConfigs,optional" provider:"replaceOnChanges"`
	Name        *string             `pulumi:"name,optional" provider:"replaceOnChanges"`
	Options     map[string]string   `pulumi:"options,optional" provider:"replaceOnChanges"`
}

// NetworkState is the state of Network.
type NetworkState struct {
	NetworkShared
	Driver      string              `pulumi:"driver"`
	Internal    bool                `pulumi:"internal"`
	IpamConfigs []NetworkIpamConfig `pulumi:"ipamConfigs"`
	Name        string              `pulumi:"name"`
	Options     map[string]string   `pulumi:"options"`
	Scope       string              `pulumi:"scope"`
}

// NetworkIpamConfig is one address range.
type NetworkIpamConfig struct {
	AuxAddress map[string]string `pulumi:"auxAddress,optional"`
	Gateway    *string           `pulumi:"gateway,optional"`
	IPRange    *string           `pulumi:"ipRange,optional"`
	Subnet     *string           `pulumi:"subnet,optional"`
}

const vxlanOption = "com.docker.network.driver.overlay.vxlanid_list"

var networkFields = []field{
	{name: "attachable", replace: true},
	{name: "driver", replace: true, computed: true},
	{name: "ingress", replace: true},
	{name: "internal", replace: true, computed: true},
	{name: "ipamConfigs", shape: addressRanges, replace: true, computed: true},
	{name: "ipamDriver", replace: true, initial: "default"},
	{name: "ipamOptions", shape: mapping, replace: true},
	{name: "ipv6", replace: true},
	{name: "labels", shape: set, replace: true},
	{name: "name", replace: true},
	{name: "options", shape: mapping, replace: true, computed: true},
}

// Annotate gives the resource its official token.
func (r *Network) Annotate(a infer.Annotator) {
	a.SetToken("index/network", "Network")
	a.Describe(&r, "A user-defined Docker network.")
}

// Annotate gives the type its official token.
func (c *NetworkIpamConfig) Annotate(a infer.Annotator) {
	a.SetToken("index/NetworkIpamConfig", "NetworkIpamConfig")
}

// Create makes the network. A second one of the same name is refused: by newer daemons always, by older
// ones because Docker's client asks them to look.
func (*Network) Create(
	ctx context.Context, req infer.CreateRequest[NetworkInputs],
) (infer.CreateResponse[NetworkState], error) {
	in := req.Inputs
	if req.DryRun {
		return infer.CreateResponse[NetworkState]{Output: NetworkState{
			NetworkShared: in.NetworkShared, Driver: deref(in.Driver), Internal: deref(in.Internal),
			IpamConfigs: nonNil(in.IpamConfigs), Name: deref(in.Name), Options: in.Options,
		}}, nil
	}
	e := engineOf(ctx)
	made, err := untilAnswered(ctx, func(ctx context.Context) (network.CreateResponse, error) {
		return e.NetworkCreate(ctx, deref(in.Name), networkOptions(in))
	})
	if err != nil {
		return infer.CreateResponse[NetworkState]{}, e.explain("cannot create network "+deref(in.Name), err)
	}
	found, err := e.inspectNetwork(ctx, made.ID)
	if err != nil {
		// The network exists, so it has to be in the state, or it would stay for ever.
		return infer.CreateResponse[NetworkState]{
				ID: made.ID,
				Output: NetworkState{
					NetworkShared: in.NetworkShared, Name: deref(in.Name),
					IpamConfigs: nonNil(in.IpamConfigs), Options: map[string]string{},
				},
			}, infer.ResourceInitFailedError{Reasons: []string{
				e.explain("network "+deref(in.Name)+" was created but cannot be read", err).Error(),
			}}
	}
	return infer.CreateResponse[NetworkState]{ID: made.ID, Output: networkState(in.IpamOptions, found)}, nil
}

// Read takes what the daemon says; a network that is gone leaves the state.
func (*Network) Read(
	ctx context.Context, req infer.ReadRequest[NetworkInputs, NetworkState],
) (infer.ReadResponse[NetworkInputs, NetworkState], error) {
	var gone infer.ReadResponse[NetworkInputs, NetworkState]
	e := engineOf(ctx)
	found, err := e.inspectNetwork(ctx, req.ID)
	if isGone(err) {
		return gone, nil
	}
	if err != nil {
		return gone, e.explain("cannot read network "+req.ID, err)
	}
	state := networkState(req.State.IpamOptions, found)
	in := req.Inputs
	if in.Name == nil { // an import has no inputs yet
		in = NetworkInputs{
			NetworkShared: state.NetworkShared, Driver: &state.Driver, Internal: &state.Internal,
			IpamConfigs: state.IpamConfigs, Name: &state.Name, Options: state.Options,
		}
	}
	return infer.ReadResponse[NetworkInputs, NetworkState]{ID: found.ID, Inputs: in, State: state}, nil
}

// Update has nothing to do: it is only called to clear a failed read after creation.
func (*Network) Update(
	_ context.Context, req infer.UpdateRequest[NetworkInputs, NetworkState],
) (infer.UpdateResponse[NetworkState], error) {
	state := req.State
	state.IpamConfigs = nonNil(state.IpamConfigs) // infer decodes an empty list as a missing one
	if state.Options == nil {
		state.Options = map[string]string{}
	}
	return infer.UpdateResponse[NetworkState]{Output: state}, nil
}

// Delete removes the network, and waits a while for containers that are still attached.
func (*Network) Delete(ctx context.Context, req infer.DeleteRequest[NetworkState]) (infer.DeleteResponse, error) {
	e := engineOf(ctx)
	attached := func(err error) bool {
		// A swarm frees the network of a task only a moment after the task has ended.
		return strings.Contains(err.Error(), "has active endpoints") || strings.Contains(err.Error(), "in use by task")
	}
	err := retryWhile(ctx, inUseTimeout, attached, func() error { return e.NetworkRemove(ctx, req.ID) })
	if err != nil && !isGone(err) {
		return infer.DeleteResponse{}, e.explain("cannot remove network "+req.State.Name, err)
	}
	return infer.DeleteResponse{}, nil
}

// inspectNetwork waits for what a swarm fills in only a moment after it has made a network: driver,
// address ranges and all.
func (e *engine) inspectNetwork(ctx context.Context, id string) (network.Inspect, error) {
	var found network.Inspect
	isBlank := func(err error) bool { return errors.Is(err, errBlankNetwork) }
	err := retryWhile(ctx, allocationTimeout, isBlank, func() (err error) {
		found, err = e.NetworkInspect(ctx, id, network.InspectOptions{})
		if err == nil && found.Driver == "" {
			return errBlankNetwork
		}
		return err
	})
	return found, err
}

// allocationTimeout is how long a swarm may take to fill in a new network.
const allocationTimeout = 10 * time.Second

var errBlankNetwork = errors.New("the swarm has not made it ready yet; see `docker network inspect`")

func networkOptions(in NetworkInputs) network.CreateOptions {
	options := network.CreateOptions{
		Driver: deref(in.Driver), Options: in.Options, Labels: labelMap(in.Labels),
		Internal: deref(in.Internal), Attachable: deref(in.Attachable), Ingress: deref(in.Ingress),
		EnableIPv6: in.Ipv6,
		IPAM:       &network.IPAM{Driver: deref(in.IpamDriver), Options: in.IpamOptions},
	}
	for _, c := range in.IpamConfigs {
		options.IPAM.Config = append(options.IPAM.Config, network.IPAMConfig{
			Subnet: deref(c.Subnet), IPRange: deref(c.IPRange), Gateway: deref(c.Gateway), AuxAddress: c.AuxAddress,
		})
	}
	return options
}

// networkState reads everything back but the IPAM options, which the official provider does not read.
func networkState(ipamOptions map[string]string, n network.Inspect) NetworkState {
	state := NetworkState{
		NetworkShared: NetworkShared{
			Attachable: &n.Attachable, Ingress: &n.Ingress, Ipv6: &n.EnableIPv6,
			IpamDriver: &n.IPAM.Driver, IpamOptions: ipamOptions, Labels: labelList(n.Labels),
		},
		Driver: n.Driver, Internal: n.Internal, Name: n.Name, Scope: n.Scope,
		IpamConfigs: []NetworkIpamConfig{},
	}
	// Which VXLANs an overlay network has got is no choice of the program.
	state.Options = maps.Clone(n.Options)
	delete(state.Options, vxlanOption)
	if state.Options == nil {
		state.Options = map[string]string{}
	}
	for _, c := range n.IPAM.Config {
		state.IpamConfigs = append(state.IpamConfigs, NetworkIpamConfig{
			Subnet: observed(nil, c.Subnet), IPRange: observed(nil, c.IPRange),
			Gateway: observed(nil, c.Gateway), AuxAddress: nonEmptyMap(c.AuxAddress),
		})
	}
	return state
}
