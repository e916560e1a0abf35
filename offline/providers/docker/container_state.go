package docker

// ContainerState is the state of Container: the inputs as the daemon normalised them, and what
// only the daemon knows. Required here is what the official schema requires.
type ContainerState struct {
	ContainerShared
	Bridge        string                 `pulumi:"bridge"`
	Command       []string               `pulumi:"command"`
	ContainerLogs string                 `pulumi:"containerLogs"`
	Entrypoints   []string               `pulumi:"entrypoints"`
	Envs          []string               `pulumi:"envs"`
	ExitCode      int                    `pulumi:"exitCode"`
	Healthcheck   ContainerHealthcheck   `pulumi:"healthcheck"`
	Hostname      string                 `pulumi:"hostname"`
	Init          bool                   `pulumi:"init"`
	IpcMode       string                 `pulumi:"ipcMode"`
	Labels        []Label                `pulumi:"labels"`
	LogDriver     string                 `pulumi:"logDriver"`
	Name          string                 `pulumi:"name"`
	NetworkDatas  []ContainerNetworkData `pulumi:"networkDatas"`
	Platform      string                 `pulumi:"platform"`
	Runtime       string                 `pulumi:"runtime"`
	SecurityOpts  []string               `pulumi:"securityOpts"`
	ShmSize       int                    `pulumi:"shmSize"`
	StopSignal    string                 `pulumi:"stopSignal"`
	StopTimeout   int                    `pulumi:"stopTimeout"`
}

// withInputs lays the configured values over a state; what the program leaves open stays.
func withInputs(s ContainerState, in ContainerInputs) ContainerState {
	s.ContainerShared = in.ContainerShared
	overlayList(&s.Command, in.Command)
	overlayList(&s.Entrypoints, in.Entrypoints)
	overlayList(&s.Envs, in.Envs)
	overlayList(&s.Labels, in.Labels)
	overlayList(&s.SecurityOpts, in.SecurityOpts)
	overlay(&s.Healthcheck, in.Healthcheck)
	overlay(&s.Hostname, in.Hostname)
	overlay(&s.Init, in.Init)
	overlay(&s.IpcMode, in.IpcMode)
	overlay(&s.LogDriver, in.LogDriver)
	overlay(&s.Name, in.Name)
	overlay(&s.Runtime, in.Runtime)
	overlay(&s.ShmSize, in.ShmSize)
	overlay(&s.StopSignal, in.StopSignal)
	overlay(&s.StopTimeout, in.StopTimeout)
	return complete(s)
}

// withUpdates takes from the inputs what can change without a replacement.
func withUpdates(s ContainerState, in ContainerInputs) ContainerState {
	s.Restart, s.MaxRetryCount = in.Restart, in.MaxRetryCount
	s.Memory, s.MemoryReservation, s.MemorySwap = in.Memory, in.MemoryReservation, in.MemorySwap
	s.CPUShares, s.CPUSet, s.CPUPeriod, s.CPUQuota = in.CPUShares, in.CPUSet, in.CPUPeriod, in.CPUQuota
	s.Tmpfs = in.Tmpfs
	overlay(&s.Init, in.Init)
	s.Start, s.MustRun, s.Attach, s.Logs = in.Start, in.MustRun, in.Attach, in.Logs
	s.Wait, s.WaitTimeout = in.Wait, in.WaitTimeout
	s.Rm, s.RemoveVolumes, s.DestroyGraceSeconds = in.Rm, in.RemoveVolumes, in.DestroyGraceSeconds
	s.ReadRefreshTimeoutMilliseconds = in.ReadRefreshTimeoutMilliseconds
	return complete(s)
}

// complete makes empty lists of the missing required ones. infer decodes an empty list as a missing
// one, does not write a missing one, and could then not read the state any more.
func complete(s ContainerState) ContainerState {
	s.Command, s.Entrypoints, s.Envs = nonNil(s.Command), nonNil(s.Entrypoints), nonNil(s.Envs)
	s.Labels, s.SecurityOpts = nonNil(s.Labels), nonNil(s.SecurityOpts)
	s.NetworkDatas = nonNil(s.NetworkDatas)
	return s
}

func overlay[T any](to *T, value *T) {
	if value != nil {
		*to = *value
	}
}

func overlayList[T any](to *[]T, value []T) {
	if value != nil {
		*to = value
	}
}

// asInputs is what an import takes as inputs: everything that was read back.
func (s ContainerState) asInputs() ContainerInputs {
	return ContainerInputs{
		ContainerShared: s.ContainerShared, Name: &s.Name, Command: s.Command, Entrypoints: s.Entrypoints,
		Hostname: &s.Hostname, LogDriver: &s.LogDriver, SecurityOpts: s.SecurityOpts,
	}
}
