// SPDX-License-Identifier: Apache-2.0
// Which candidate does each policy take, and what does a wrong policy say?
#include "tests/shim.hh"

extern "C" {
#include "controller/controller.h"
}

#include <set>

namespace {

const int bits[] = {2, 4, 8};
const controller_choice choices[] = {{"a", 3, bits, true}, {"b", 3, bits, true}};

int decide(const char *policy, int choice, int64_t input = 0, int64_t learned = 0)
{
    controller c;
    err e = {};
    EXPECT_OK(controller_parse(&c, policy, choices, 2, &e), e);
    controller_observation o = {input, choice, learned};
    return controller_decide(&c, &choices[choice], &o);
}

std::string refusal(const char *policy, const controller_choice *ch = choices)
{
    controller c;
    err e = {};
    EXPECT_EQ(ST_ARG, controller_parse(&c, policy, ch, 2, &e)) << policy;
    return shim::text(e);
}

TEST(Controller, FixedTakesTheCandidateOfThatWidthEverywhere)
{
    EXPECT_EQ(1, decide("fixed:4", 0));
    EXPECT_EQ(2, decide("fixed:8", 1));
}

TEST(Controller, LayersTakeOneWidthEach)
{
    EXPECT_EQ(0, decide("layers:2,8", 0));
    EXPECT_EQ(2, decide("layers:2,8", 1));
}

TEST(Controller, LearnedFollowsTheModelAndRefusesWhatIsNoCandidate)
{
    EXPECT_EQ(2, decide("controller", 0, 0, 2));
    EXPECT_EQ(-1, decide("controller", 0, 0, 3));
    EXPECT_EQ(-1, decide("controller", 0, 0, -1));
}

TEST(Controller, RandomIsReproducibleUniformAndOrderFree)
{
    int count[3] = {0, 0, 0};
    for (int64_t i = 0; i < 3000; i++) count[decide("random:5", 1, i)]++;
    for (int n : count) EXPECT_NEAR(1000, n, 120);
    EXPECT_EQ(decide("random:5", 0, 77), decide("random:5", 0, 77));
}

TEST(Controller, MessagesNameWhatIsOffered)
{
    EXPECT_NE(std::string::npos, refusal("fixed:3").find("2, 4, 8"));
    EXPECT_NE(std::string::npos, refusal("layers:2").find("2 choices"));
    for (const char *bad : {"fixed", "fixed:", "fixed:4,", "fixed:x", "layers:2,", "layers:2,4,8", "random:", "random:-1", "magic:1"}) refusal(bad);
    const controller_choice unlearned[] = {{"a", 3, bits, true}, {"b", 3, bits, false}};
    EXPECT_NE(std::string::npos, refusal("controller", unlearned).find("'b'"));
}

} // namespace
