{
  'includes': ['sources.gypi'],
  'variables': {
    # address or thread, for tests.
    'sanitize%': '',
  },
  'targets': [
    {
      'target_name': 'limpet',
      'sources': [
        'core/address.cc',
        'core/listening.cc',
        'core/reactor.cc',
        'core/serving.cc',
        'core/socket_ops.cc',
        'core/streams.cc',
        '<@(relay_sources)',
        'addon/engine.cc',
        'addon/methods.cc',
        'addon/module.cc',
        'addon/values.cc',
      ],
      'defines': ['_GNU_SOURCE', 'NAPI_VERSION=8'],
      'cflags!': ['-O3', '-Wno-unused-parameter'],
      'cflags': [
        '-O2',
        '-fvisibility=hidden',
        '-fstack-protector-strong',
        '-Wall',
        '-Wextra',
        '-Werror',
        '-Wconversion',
        '-Wshadow',
      ],
      'cflags_cc': ['-std=c++17', '-fno-exceptions', '-fno-rtti'],
      'ldflags': ['-pthread', '-Wl,-z,relro', '-Wl,-z,now'],
      'conditions': [
        ['sanitize!=""', {
          'cflags': ['-g', '-fno-omit-frame-pointer', '-fsanitize=<(sanitize)'],
          'ldflags': ['-fsanitize=<(sanitize)'],
        }],
      ],
    },
  ],
}
