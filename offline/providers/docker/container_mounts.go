package docker

import (
	"os"

	"github.com/docker/docker/api/types/mount"
)

// mountConfig passes on only the options of the mount's own type, as the official provider does.
func mountConfig(list []ContainerMount) []mount.Mount {
	var mounts []mount.Mount
	for _, m := range list {
		out := mount.Mount{
			Type: mount.Type(m.Type), Source: deref(m.Source), Target: m.Target, ReadOnly: deref(m.ReadOnly),
		}
		switch {
		case out.Type == mount.TypeBind && m.BindOptions != nil:
			out.BindOptions = &mount.BindOptions{Propagation: mount.Propagation(deref(m.BindOptions.Propagation))}
		case out.Type == mount.TypeVolume && m.VolumeOptions != nil:
			out.VolumeOptions = volumeOptions(*m.VolumeOptions)
		case out.Type == mount.TypeTmpfs && m.TmpfsOptions != nil:
			out.TmpfsOptions = &mount.TmpfsOptions{
				SizeBytes: int64(deref(m.TmpfsOptions.SizeBytes)), Mode: os.FileMode(deref(m.TmpfsOptions.Mode)),
			}
		}
		mounts = append(mounts, out)
	}
	return mounts
}

func volumeOptions(o ContainerMountVolumeOptions) *mount.VolumeOptions {
	out := &mount.VolumeOptions{NoCopy: deref(o.NoCopy), Labels: labelMap(o.Labels), Subpath: deref(o.Subpath)}
	if deref(o.DriverName) != "" || len(o.DriverOptions) > 0 {
		out.DriverConfig = &mount.Driver{Name: deref(o.DriverName), Options: o.DriverOptions}
	}
	return out
}

// mountState reads the mounts back.
func mountState(list []mount.Mount) []ContainerMount {
	var mounts []ContainerMount
	for _, m := range list {
		out := ContainerMount{
			Type: string(m.Type), Target: m.Target,
			Source: observed(nil, m.Source), ReadOnly: observed(nil, m.ReadOnly),
		}
		if o := m.BindOptions; o != nil {
			out.BindOptions = &ContainerMountBindOptions{Propagation: observed(nil, string(o.Propagation))}
		}
		if o := m.TmpfsOptions; o != nil {
			out.TmpfsOptions = &ContainerMountTmpfsOptions{
				SizeBytes: observed(nil, int(o.SizeBytes)), Mode: observed(nil, int(o.Mode)),
			}
		}
		if o := m.VolumeOptions; o != nil {
			out.VolumeOptions = &ContainerMountVolumeOptions{
				NoCopy: observed(nil, o.NoCopy), Labels: labelList(o.Labels), Subpath: observed(nil, o.Subpath),
			}
			if d := o.DriverConfig; d != nil {
				out.VolumeOptions.DriverName = observed(nil, d.Name)
				out.VolumeOptions.DriverOptions = nonEmptyMap(d.Options)
			}
		}
		mounts = append(mounts, out)
	}
	return mounts
}
