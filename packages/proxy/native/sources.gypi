{
  'variables': {
    'relay_sources': [
      'core/boundary.cc',
      'core/link.cc',
      'core/link_end.cc',
      'core/link_exchange.cc',
      'core/link_farewell.cc',
      'core/link_loop.cc',
      'core/link_mover.cc',
      'core/link_pump.cc',
      'core/link_records.cc',
      'core/nursery.cc',
      'core/pipes.cc',
      'core/relay.cc',
      'core/wheel.cc',
    ],
  },
}
