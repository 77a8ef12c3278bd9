// Written by tests/vectors/poly1305_edges.py, which says what these are.
#pragma once

#include <cstdint>

namespace ferrule::test {

/// The ciphertext is `size` bytes: all ff but the last 16, which are these two words, little-endian.
/// The key is 00 01 02 .. 1f. `sum` is what Poly1305's sum before its final reduction is modulo p.
struct Poly1305Edge {
  const char* sum;
  std::uint16_t size;
  std::uint64_t counter;
  std::uint64_t low;
  std::uint64_t high;
};

inline constexpr Poly1305Edge kPoly1305Edges[] = {
    {"0", 16, 3, 0x8673010cc416d03, 0xa6a1973c0ceaefa2},
    {"1", 16, 5, 0xdac7ff93e37273dc, 0x144611b8f5627c6b},
    {"4", 16, 9, 0xa6f04ad4290ac2ee, 0x3291658afd9a577c},
    {"5", 16, 10, 0x787dfa961b708c9e, 0x29d0363a81eb6d68},
    {"p - 1", 16, 11, 0xe605548af2ebdfd6, 0xc83b624e7e7bd23f},
    {"p - 5", 16, 13, 0x802b29ce69cec7ff, 0xe7c6ec85f689643d},
    {"2^44 - 1", 16, 15, 0xc701a8925fadba96, 0xed33c65becabc471},
    {"2^88 - 1", 16, 16, 0x718de6d6a1c2c7ba, 0xce1d024a65e5ae94},
    {"2^128 - 1", 16, 20, 0x77f00786d64ff43e, 0x499935dedfc34b09},
    {"2^128", 16, 27, 0x3e2c42e1d5940e92, 0x4dd4a16604e5798},
    {"2^129 - 1", 16, 29, 0x323f622fe3437903, 0x9e40d5a9bd1fc276},
    {"0", 64, 33, 0x7b38da2a02588ff1, 0x9913cfe27e45edd1},
    {"1", 64, 46, 0xc0448e77a206176f, 0xd008bc45822d607},
    {"4", 64, 47, 0xe07b7acaf02cc4d2, 0xf09577cd0534aba8},
    {"5", 64, 48, 0xd08b57e1f4c1dd71, 0xd692b5e3ed89909e},
    {"p - 1", 64, 59, 0x39a323593f387ffe, 0x43a22f39fc580470},
    {"p - 5", 64, 61, 0xd4c00bbd1c872071, 0xa26f823e551ae2dc},
    {"2^44 - 1", 64, 69, 0xc9045a992d7816b1, 0xe5ae59d4440b31c7},
    {"2^88 - 1", 64, 70, 0xc1c17e8722ad01af, 0x365cb0c01e275e99},
    {"2^128 - 1", 64, 81, 0x444f66926ab6a59f, 0xa8c134ed186b59fb},
    {"2^128", 64, 87, 0x364d41db4e98bae9, 0xcd75a6942483b068},
    {"2^129 - 1", 64, 88, 0x5b6f868ba0507412, 0xe18685eb550dccc4},
    {"0", 240, 89, 0x20604e6aa7390790, 0xc36b3f5f4b09cac1},
    {"1", 240, 91, 0xdd54c0c7d4fb3f24, 0xda030013505a0137},
    {"4", 240, 94, 0x970cbffd1c4a3b3e, 0x6309bb4c969bc86c},
    {"5", 240, 104, 0xd20035e6d154a636, 0xbef3e9bbeb090b19},
    {"p - 1", 240, 110, 0xd990ccece64f974e, 0xabdf95971f33765c},
    {"p - 5", 240, 112, 0x4c51234861bb070d, 0xe35181726aca8481},
    {"2^44 - 1", 240, 119, 0x7518f0b840b9cad2, 0x10214874386d84f4},
    {"2^88 - 1", 240, 127, 0xa7c22387a188ce13, 0x1d91db1d777c6054},
    {"2^128 - 1", 240, 130, 0x98d21ef96d8e6c58, 0xb165059537418200},
    {"2^128", 240, 131, 0xf25cb2fbfb2cbfa2, 0x8ce8c860d94871a1},
    {"2^129 - 1", 240, 132, 0xd5197fcf8e96e549, 0xb5edd9ee40691038},
    {"0", 256, 133, 0x88102d7ee4c9eaf9, 0xf9597d53ab789cea},
    {"1", 256, 135, 0x2d85827b424db011, 0xcfdc2a699c695beb},
    {"4", 256, 137, 0xd6a37c772ab10e3a, 0x63afb04ceea84992},
    {"5", 256, 142, 0x6989f66c497bf731, 0xeb3937c0fbbf7b4a},
    {"p - 1", 256, 147, 0xae6ae69810180978, 0xfbbb21e17d57f3e9},
    {"p - 5", 256, 149, 0x2031f1967bc63ec3, 0x251855654be86b4f},
    {"2^44 - 1", 256, 152, 0xec383b777bba5c09, 0xc11b4832fffea2a},
    {"2^88 - 1", 256, 156, 0x6399b3b88dc92aeb, 0x4ae93db341839aba},
    {"2^128 - 1", 256, 159, 0x17f64cda57df7754, 0x5cb8079d43a1a04a},
    {"2^128", 256, 166, 0x4e305312090d0c4, 0x88e26fbdb4b1d3bf},
    {"2^129 - 1", 256, 167, 0x478ed7de5f2e75a7, 0xe6c92fe75822ba81},
    {"0", 272, 177, 0x60cae85d6953565c, 0x65349fbbe774bbed},
    {"1", 272, 178, 0x97c568c3a2455d46, 0x50d0315c221d8f6e},
    {"4", 272, 188, 0xd26d7d1316c0aeb5, 0x499cad8e096aa407},
    {"5", 272, 193, 0x1c9cf1a6edde7d73, 0x7ad61906a58c437a},
    {"p - 1", 272, 197, 0xce67f1246b1440c3, 0x1e24091f3e3f01d5},
    {"p - 5", 272, 199, 0xc96a9f45c4b2bb8f, 0x3b731b0ab776bf89},
    {"2^44 - 1", 272, 200, 0xfc7ef725bcd6c6dd, 0x6d56ff2c41e628f9},
    {"2^88 - 1", 272, 208, 0x4dc0b447d4711be0, 0x6a9d97cbc24de326},
    {"2^128 - 1", 272, 210, 0x1ace0893ac2fc27, 0x7b487fbec7ee6247},
    {"2^128", 272, 211, 0xde53259d926f12e2, 0x168a89f515592ecc},
    {"2^129 - 1", 272, 214, 0xe78fecfd7c75b69e, 0x9d2ba0ed3b750937},
    {"0", 512, 223, 0x42b0a86a75d80c1d, 0x7ce8e8588204e42d},
    {"1", 512, 224, 0xc8f6f23dbd76073, 0x3f24c9d1006c8f3b},
    {"4", 512, 232, 0x5beb4b9cbbb97d9a, 0xe226f9ed494e02fb},
    {"5", 512, 238, 0x528af5f1e48ed8e8, 0xa60ba35cac0fbe7a},
    {"p - 1", 512, 245, 0x4b529104acbf25eb, 0x765e77b53e8bca06},
    {"p - 5", 512, 257, 0x3edf66240193ecd5, 0x6b63fdc762fdaff4},
    {"2^44 - 1", 512, 258, 0x90e09d10ab8f4a65, 0x77bfc110c5d4f458},
    {"2^88 - 1", 512, 259, 0x458bd6ff0bc60dc2, 0xe0ae547d44a6d7ca},
    {"2^128 - 1", 512, 261, 0x720fe7bbb62d28bc, 0xa29d4434829bc28b},
    {"2^128", 512, 262, 0x70e72d623d98aece, 0xfa48ee5f288e3316},
    {"2^129 - 1", 512, 265, 0x444f3cf86e922b34, 0xc788eb17c3aef4b2},
    {"0", 1024, 266, 0xe67e66edbd63a92c, 0xa5ad886c2f6e6bd1},
    {"1", 1024, 268, 0x4684eabab3b42ccd, 0x4eaff289e6382884},
    {"4", 1024, 271, 0xa36966e6afe447b5, 0x6eea7d50f927c5e0},
    {"5", 1024, 273, 0xf73f0c30ae55a4f7, 0x870457556ba5bfbc},
    {"p - 1", 1024, 278, 0xab5f661323831e21, 0xce6abd34024b4dee},
    {"p - 5", 1024, 279, 0xf562b588186c9a37, 0xa5f90541c11dbb0},
    {"2^44 - 1", 1024, 281, 0xf4f659ec24bf41ad, 0x156d91cedd99203e},
    {"2^88 - 1", 1024, 284, 0x7d7e6d2c27512706, 0xbf5cf1390e03b2b7},
    {"2^128 - 1", 1024, 285, 0xcaa3e979401dd695, 0x49811fc224766ffd},
    {"2^128", 1024, 287, 0xe20a38ba58a34847, 0x1dec14fdf4d1418a},
    {"2^129 - 1", 1024, 288, 0xbe47e0ca9997ca6b, 0x329ffb6446dacbba},
    {"0", 1424, 291, 0x669c2bc7229b1747, 0x376ffdaeb3be223e},
    {"1", 1424, 298, 0x322cc36463092e11, 0x5b02e1785621385d},
    {"4", 1424, 301, 0x9dfa3cf890fa1f7a, 0xadca414253db7780},
    {"5", 1424, 302, 0xb6e963c48c859f0d, 0xf64c70332d95e2ef},
    {"p - 1", 1424, 303, 0xef35f935498c4f02, 0xd9a432548b97efda},
    {"p - 5", 1424, 307, 0xff5a4fcf5401e4f3, 0x68f27b9f46b360d},
    {"2^44 - 1", 1424, 310, 0x62aafbcde6265641, 0xde162adef5892235},
    {"2^88 - 1", 1424, 311, 0xe533db20255d94d8, 0x91c760f75e42abac},
    {"2^128 - 1", 1424, 314, 0xd7d07cdd238a81f1, 0xb82b7fbb33f8f28e},
    {"2^128", 1424, 315, 0x17376f3463fb9988, 0x11912eaf79ead24d},
    {"2^129 - 1", 1424, 318, 0x4bd40dfb108c355f, 0xdd174e28d6dc9f7a},
};

}  // namespace ferrule::test
