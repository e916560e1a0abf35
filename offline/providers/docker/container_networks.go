package docker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
)

// attachNetworks takes the container off the default bridge and attaches it to its own networks.
func (e *engine) attachNetworks(ctx context.Context, id string, in ContainerInputs) error {
	if len(in.NetworksAdvanced) == 0 {
		return nil
	}
	name := deref(in.Name)
	err := e.NetworkDisconnect(ctx, "bridge", id, false)
	if err != nil && !strings.Contains(err.Error(), "is not connected to") {
		return e.explain("cannot take container "+name+" off the default network", err)
	}
	for _, n := range in.NetworksAdvanced {
		if err := e.NetworkConnect(ctx, n.Name, id, endpointConfig(n)); err != nil {
			return e.explain(fmt.Sprintf("cannot attach container %s to network %s", name, n.Name), err)
		}
	}
	return nil
}

func endpointConfig(n ContainerNetworkAdvanced) *network.EndpointSettings {
	settings := &network.EndpointSettings{
		Aliases: n.Aliases, MacAddress: deref(n.MacAddress), GwPriority: deref(n.GwPriority),
		IPAMConfig: &network.EndpointIPAMConfig{
			IPv4Address: deref(n.Ipv4Address), IPv6Address: deref(n.Ipv6Address), LinkLocalIPs: n.LinkLocalIps,
		},
	}
	for _, option := range n.DriverOpts {
		if key, value, ok := strings.Cut(option, "="); ok {
			if settings.DriverOpts == nil {
				settings.DriverOpts = map[string]string{}
			}
			settings.DriverOpts[key] = value
		}
	}
	return settings
}

// networkDatas lists the attached networks by name, so that reading twice gives the same.
func networkDatas(settings *container.NetworkSettings) []ContainerNetworkData {
	datas := []ContainerNetworkData{}
	for _, name := range slices.Sorted(maps.Keys(settings.Networks)) {
		n := settings.Networks[name]
		datas = append(datas, ContainerNetworkData{
			NetworkName: &name, Gateway: &n.Gateway, IPAddress: &n.IPAddress, IPPrefixLength: &n.IPPrefixLen,
			GlobalIpv6Address: &n.GlobalIPv6Address, GlobalIpv6PrefixLength: &n.GlobalIPv6PrefixLen,
			Ipv6Gateway: &n.IPv6Gateway, MacAddress: &n.MacAddress,
		})
	}
	return datas
}
