package docker

// ContainerShared are the properties of a container that are optional as inputs and as outputs
// (and image, which is required as both).
type ContainerShared struct {
	Attach                         *bool                      `pulumi:"attach,optional"`
	Capabilities                   *ContainerCapabilities     `pulumi:"capabilities,optional" provider:"replaceOnChanges"`
	ReadRefreshTimeoutMilliseconds *int                       `pulumi:"containerReadRefreshTimeoutMilliseconds,optional"`
	CPUPeriod                      *int                       `pulumi:"cpuPeriod,optional"`
	CPUQuota                       *int                       `pulumi:"cpuQuota,optional"`
	CPUSet                         *string                    `pulumi:"cpuSet,optional"`
	CPUShares                      *int                       `pulumi:"cpuShares,optional"`
	DestroyGraceSeconds            *int                       `pulumi:"destroyGraceSeconds,optional"`
	DNS                            []string                   `pulumi:"dns,optional" provider:"replaceOnChanges"`
	DNSOpts                        []string                   `pulumi:"dnsOpts,optional" provider:"replaceOnChanges"`
	DNSSearches                    []string                   `pulumi:"dnsSearches,optional" provider:"replaceOnChanges"`
	Domainname                     *string                    `pulumi:"domainname,optional" provider:"replaceOnChanges"`
	GroupAdds                      []string                   `pulumi:"groupAdds,optional" provider:"replaceOnChanges"`
	Hosts                          []ContainerHost            `pulumi:"hosts,optional" provider:"replaceOnChanges"`
	Image                          string                     `pulumi:"image" provider:"replaceOnChanges"`
	LogOpts                        map[string]string          `pulumi:"logOpts,optional" provider:"replaceOnChanges"`
	Logs                           *bool                      `pulumi:"logs,optional"`
	MaxRetryCount                  *int                       `pulumi:"maxRetryCount,optional"`
	Memory                         *int                       `pulumi:"memory,optional"`
	MemoryReservation              *int                       `pulumi:"memoryReservation,optional"`
	MemorySwap                     *int                       `pulumi:"memorySwap,optional"`
	Mounts                         []ContainerMount           `pulumi:"mounts,optional" provider:"replaceOnChanges"`
	MustRun                        *bool                      `pulumi:"mustRun,optional"`
	NetworkMode                    *string                    `pulumi:"networkMode,optional" provider:"replaceOnChanges"`
	NetworksAdvanced               []ContainerNetworkAdvanced `pulumi:"networksAdvanced,optional" provider:"replaceOnChanges"`
	PidMode                        *string                    `pulumi:"pidMode,optional" provider:"replaceOnChanges"`
	Ports                          []ContainerPort            `pulumi:"ports,optional" provider:"replaceOnChanges"`
	Privileged                     *bool                      `pulumi:"privileged,optional" provider:"replaceOnChanges"`
	ReadOnly                       *bool                      `pulumi:"readOnly,optional" provider:"replaceOnChanges"`
	RemoveVolumes                  *bool                      `pulumi:"removeVolumes,optional"`
	Restart                        *string                    `pulumi:"restart,optional"`
	Rm                             *bool                      `pulumi:"rm,optional"`
	Start                          *bool                      `pulumi:"start,optional"`
	StdinOpen                      *bool                      `pulumi:"stdinOpen,optional" provider:"replaceOnChanges"`
	Sysctls                        map[string]string          `pulumi:"sysctls,optional" provider:"replaceOnChanges"`
	Tmpfs                          map[string]string          `pulumi:"tmpfs,optional"`
	Tty                            *bool                      `pulumi:"tty,optional" provider:"replaceOnChanges"`
	Ulimits                        []ContainerUlimit          `pulumi:"ulimits,optional" provider:"replaceOnChanges"`
	Uploads                        []ContainerUpload          `pulumi:"uploads,optional" provider:"replaceOnChanges"`
	User                           *string                    `pulumi:"user,optional" provider:"replaceOnChanges"`
	UsernsMode                     *string                    `pulumi:"usernsMode,optional" provider:"replaceOnChanges"`
	Volumes                        []ContainerVolume          `pulumi:"volumes,optional" provider:"replaceOnChanges"`
	Wait                           *bool                      `pulumi:"wait,optional"`
	WaitTimeout                    *int                       `pulumi:"waitTimeout,optional"`
	WorkingDir                     *string                    `pulumi:"workingDir,optional" provider:"replaceOnChanges"`
}

// ContainerInputs are the inputs of Container.
type ContainerInputs struct {
	ContainerShared
	Command      []string              `pulumi:"command,optional" provider:"replaceOnChanges"`
	Entrypoints  []string              `pulumi:"entrypoints,optional" provider:"replaceOnChanges"`
	Envs         []string              `pulumi:"envs,optional" provider:"replaceOnChanges"`
	Healthcheck  *ContainerHealthcheck `pulumi:"healthcheck,optional" provider:"replaceOnChanges"`
	Hostname     *string               `pulumi:"hostname,optional" provider:"replaceOnChanges"`
	Init         *bool                 `pulumi:"init,optional"`
	IpcMode      *string               `pulumi:"ipcMode,optional" provider:"replaceOnChanges"`
	Labels       []Label               `pulumi:"labels,optional" provider:"replaceOnChanges"`
	LogDriver    *string               `pulumi:"logDriver,optional" provider:"replaceOnChanges"`
	Name         *string               `pulumi:"name,optional" provider:"replaceOnChanges"`
	Runtime      *string               `pulumi:"runtime,optional" provider:"replaceOnChanges"`
	SecurityOpts []string              `pulumi:"securityOpts,optional" provider:"replaceOnChanges"`
	ShmSize      *int                  `pulumi:"shmSize,optional" provider:"replaceOnChanges"`
	StopSignal   *string               `pulumi:"stopSignal,optional" provider:"replaceOnChanges"`
	StopTimeout  *int                  `pulumi:"stopTimeout,optional" provider:"replaceOnChanges"`
}

// containerFields says for every input how it is compared and whether a change replaces the
// container. Changes of tmpfs, init, cpuPeriod and cpuQuota are accepted as updates but reach only
// the state, as with the official provider.
var containerFields = []field{
	{name: "image", replace: true},
	{name: "name", replace: true},
	{name: "command", shape: list, replace: true, computed: true},
	{name: "entrypoints", shape: list, replace: true, computed: true},
	{name: "envs", shape: set, replace: true, computed: true},
	{name: "labels", shape: set, replace: true, computed: true},
	// The official provider ignores an empty user or directory: the image's is used then.
	{name: "user", replace: true, computed: true},
	{name: "workingDir", replace: true, computed: true},
	{name: "hostname", replace: true, computed: true},
	{name: "domainname", replace: true},
	{name: "runtime", replace: true, computed: true},
	{name: "ipcMode", replace: true, computed: true},
	{name: "pidMode", replace: true},
	{name: "usernsMode", replace: true},
	{name: "stopSignal", replace: true, computed: true},
	{name: "stopTimeout", replace: true, computed: true},
	{name: "logDriver", replace: true, computed: true},
	{name: "logOpts", shape: mapping, replace: true},
	{name: "shmSize", replace: true, computed: true},
	{name: "securityOpts", shape: set, replace: true, computed: true},
	{name: "capabilities", shape: setObject, replace: true},
	{name: "readOnly", replace: true, initial: false},
	{name: "privileged", replace: true},
	{name: "tty", replace: true, initial: false},
	{name: "stdinOpen", replace: true, initial: false},
	{name: "healthcheck", shape: object, replace: true, computed: true},
	{name: "sysctls", shape: mapping, replace: true},
	{name: "ulimits", shape: set, replace: true},
	{name: "groupAdds", shape: set, replace: true},

	{name: "networkMode", replace: true, initial: "bridge"},
	{name: "networksAdvanced", shape: set, replace: true},
	{name: "ports", shape: ports, replace: true},
	{name: "dns", shape: set, replace: true},
	{name: "dnsOpts", shape: set, replace: true},
	{name: "dnsSearches", shape: set, replace: true},
	{name: "hosts", shape: set, replace: true},

	{name: "volumes", shape: set, replace: true},
	{name: "mounts", shape: set, replace: true},
	{name: "uploads", shape: set, replace: true},

	{name: "restart", initial: "no"},
	{name: "maxRetryCount"},
	{name: "memory"},
	{name: "memoryReservation"},
	{name: "memorySwap"},
	{name: "cpuShares"},
	{name: "cpuSet"},
	{name: "mustRun", initial: true},

	{name: "tmpfs", shape: mapping},
	{name: "init", computed: true},
	{name: "cpuPeriod"},
	{name: "cpuQuota"},

	{name: "attach", initial: false},
	{name: "containerReadRefreshTimeoutMilliseconds", initial: 15000.0},
	{name: "destroyGraceSeconds"},
	{name: "logs", initial: false},
	{name: "removeVolumes", initial: true},
	{name: "rm", initial: false},
	{name: "start", initial: true},
	{name: "wait", initial: false},
	{name: "waitTimeout", initial: 60.0},
}
